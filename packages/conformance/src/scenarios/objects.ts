import { status } from "@grpc/grpc-js";
import { jsonEqual } from "@wfctl/model";
import { expectThat, type SampleScenario } from "../scenario.ts";
import { describeEnd, hasSentinel, read, saysAbsent, tryDelete, tryRead } from "../subject/driver.ts";

export const objectScenarios: readonly SampleScenario[] = [
  {
    id: "create",
    title: "Create answers with an object: an id, the name and type that were asked for, outputs that are an object",
    contract: "required",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const made = await objects.make(sample);
      const { plugin } = await subject.session();
      const found = await read(plugin, made.ref);
      expectThat(found !== undefined, `Read does not find ${sample.type} "${made.ref.name}" right after its create`);
      expectThat(
        found.providerId === made.ref.providerId,
        `Create answered with id "${made.ref.providerId}", Read with "${found.providerId}"`,
      );
      await objects.remove(sample, made);
    },
  },
  {
    id: "read-stable",
    title: "two Reads of an object that nobody touched agree on id, status and outputs",
    contract: "required",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { ref } = await objects.shared(sample);
      const { plugin } = await subject.session();
      const [first, second] = [await read(plugin, ref), await read(plugin, ref)];
      expectThat(first !== undefined && second !== undefined, "Read does not find the object");
      expectThat(
        first.providerId === second.providerId,
        `Two Reads gave ids "${first.providerId}" and "${second.providerId}"`,
      );
      expectThat(first.status === second.status, `Two Reads gave status "${first.status}" and "${second.status}"`);
      const keys = new Set([...Object.keys(first.outputs), ...Object.keys(second.outputs)]);
      const differing = [...keys].filter((key) => !jsonEqual(first.outputs[key] ?? null, second.outputs[key] ?? null));
      // Inputs with salted digests of secrets differ by design.
      const real = differing.filter((key) => key !== "applied_config");
      expectThat(real.length === 0, `Two Reads differ in outputs ${real.join(", ")}`);
    },
  },
  {
    id: "read-complete",
    title: "Read gives every output that Create gave, but for secrets that are shown once",
    contract: "advised",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { ref, object } = await objects.shared(sample);
      const { plugin } = await subject.session();
      const found = await read(plugin, ref);
      const missing = Object.keys(object.outputs).filter(
        (key) => !object.sensitive.includes(key) && !Object.hasOwn(found?.outputs ?? {}, key),
      );
      expectThat(missing.length === 0, `Create gave outputs ${missing.join(", ")}, Read does not`);
    },
  },
  {
    id: "read-by-name",
    title: "Read with an empty provider_id finds the object by its name, as adoption and deploy ask for it",
    contract: "advised",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { ref } = await objects.shared(sample);
      const { plugin } = await subject.session();
      const found = await read(plugin, { ...ref, providerId: "" });
      expectThat(found !== undefined, `Read by the name "${ref.name}" does not find what Read by id does`);
      expectThat(
        found.providerId === ref.providerId,
        `Read by the name "${ref.name}" found "${found.providerId}" instead of "${ref.providerId}"`,
      );
    },
  },
  {
    id: "absence",
    title: `Read of what is not there fails with "iac: resource not found", by id and by name`,
    contract: "required",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { plugin } = await subject.session();
      const made = await objects.make(sample);
      await objects.remove(sample, made);
      const byName = { name: subject.freshName(sample.name), type: sample.type, providerId: "" };
      for (const ref of [made.ref, byName]) {
        const ended = await tryRead(plugin, ref);
        const how = ref.providerId === "" ? "by a name that nobody has" : "by the id of a deleted object";
        expectThat(!ended.ok, `Read ${how} succeeded; it should fail with NOT_FOUND`);
        expectThat(
          hasSentinel(ended),
          `Read ${how} failed with ${describeEnd(ended)}, without "iac: resource not found"`,
        );
      }
    },
  },
  {
    id: "absence-code",
    title: "absence carries the code NOT_FOUND beside the text, so that hosts of both kinds see it",
    contract: "advised",
    strict: "required",
    scope: "sample",
    async run({ subject }, sample) {
      const { plugin } = await subject.session();
      const ref = { name: subject.freshName(sample.name), type: sample.type, providerId: "" };
      const ended = await tryRead(plugin, ref);
      expectThat(
        !ended.ok && ended.code === status.NOT_FOUND,
        `Read of what is not there ended with ${describeEnd(ended)}, expected NOT_FOUND`,
      );
      expectThat(
        !ended.ok && ended.message.startsWith("iac: resource not found"),
        `The message of absence is ${describeEnd(ended)}, expected to begin with "iac: resource not found"`,
      );
    },
  },
  {
    id: "delete-twice",
    title: "Delete removes the object, and Delete of what is gone is a success",
    contract: "off",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { plugin } = await subject.session();
      const { ref } = await objects.make(sample);
      for (const nth of ["first", "second"]) {
        const ended = await tryDelete(plugin, sample, ref);
        expectThat(ended.ok, `The ${nth} Delete failed with ${describeEnd(ended)}; it should succeed`);
        expectThat((await read(plugin, ref)) === undefined, `Read still finds the object after the ${nth} Delete`);
      }
    },
  },
  {
    id: "delete",
    title: "Delete removes the object; of what is gone it succeeds or says that it is not there",
    contract: "required",
    strict: "off",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { plugin } = await subject.session();
      const { ref } = await objects.make(sample);
      const first = await tryDelete(plugin, sample, ref);
      expectThat(first.ok, `Delete failed with ${describeEnd(first)}; it should succeed`);
      expectThat((await read(plugin, ref)) === undefined, "Read still finds the object after Delete");
      const second = await tryDelete(plugin, sample, ref);
      expectThat(
        second.ok || saysAbsent(second),
        `Delete of what is gone failed with ${describeEnd(second)}; a host cannot tell that from a delete that failed`,
      );
    },
  },
];
