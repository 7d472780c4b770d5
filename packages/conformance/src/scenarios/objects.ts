import { status } from "@grpc/grpc-js";
import { encodeRef, encodeSpec, iac, iacServiceNames, jsonToBytes } from "@wfctl/contract";
import { jsonEqual } from "@wfctl/model";
import { expectThat, Problem, skipUnless, type Scenario } from "../scenario.ts";
import { call, describeStatus, responseOf } from "../subject/call.ts";
import {
  describeEnd,
  diff,
  hasSentinel,
  isQuiet,
  describeDiff,
  read,
  readObject,
  saysAbsent,
  tryCreate,
  tryDelete,
  tryRead,
  tryUpdate,
} from "../subject/driver.ts";
import { requireService } from "../subject/subject.ts";

const alreadyExists = "iac: resource already exists";
const validation = "iac: validation error";

export const objectScenarios: readonly Scenario[] = [
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
  {
    id: "create-existing",
    title: "Create of a name that exists fails with already exists, gives the same object, or makes another one",
    contract: "required",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { plugin } = await subject.session();
      const made = await objects.make(sample);
      const again = await tryCreate(plugin, sample, made.ref.name, sample.config);
      if (again.ok) {
        const object = readObject("Create", again, made.ref);
        if (object.providerId !== made.ref.providerId)
          objects.track(sample, { ...made.ref, providerId: object.providerId });
      } else {
        expectThat(
          hasSentinel(again, alreadyExists),
          `Create of a name that exists failed with ${describeEnd(again)}, without "${alreadyExists}"`,
        );
      }
      expectThat((await read(plugin, made.ref)) !== undefined, "After a second Create the first object is gone");
    },
  },
  {
    id: "create-foreign",
    title: "Create never takes over an object that another action made",
    contract: "off",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { plugin } = await subject.session();
      const context = { clientToken: subject.freshToken(), owner: `${subject.run}/first`, run: `${subject.run}-a` };
      const { ref } = await objects.make(sample, { context });
      const before = await read(plugin, ref, { run: `${subject.run}-a` });
      const foreign = { clientToken: subject.freshToken(), owner: `${subject.run}/second`, run: `${subject.run}-b` };
      const again = await tryCreate(plugin, sample, ref.name, sample.change ?? sample.config, foreign);
      if (again.ok) {
        const { providerId } = readObject("Create", again, ref);
        expectThat(
          providerId !== ref.providerId,
          "Create with another client token took over the object of the first one",
        );
        objects.track(sample, { ...ref, providerId });
      } else {
        expectThat(
          again.code === status.ALREADY_EXISTS && hasSentinel(again, alreadyExists),
          `Create of an object of someone else failed with ${describeEnd(again)}, expected ALREADY_EXISTS and "${alreadyExists}"`,
        );
      }
      const after = await read(plugin, ref, { run: `${subject.run}-a` });
      expectThat(after !== undefined, "A create of someone else removed the object");
      expectThat(
        before?.owner === after.owner,
        `A create of someone else changed the owner from "${before?.owner}" to "${after.owner}"`,
      );
      expectThat(jsonEqual(before?.inputs ?? {}, after.inputs ?? {}), "A create of someone else changed the object");
    },
  },
  {
    id: "update",
    title: "Update keeps the id, and afterwards Diff of the new configuration is quiet",
    contract: "required",
    strict: "required",
    scope: "sample",
    waivable: true,
    async run({ subject, objects }, sample) {
      skipUnless(sample.change !== undefined, `the sample of ${sample.type} has no "change"`);
      const { plugin } = await subject.session();
      const { ref } = await objects.make(sample);
      const object = readObject("Update", await tryUpdate(plugin, sample, ref, sample.change), ref);
      expectThat(
        object.providerId === ref.providerId,
        `Update changed the id from "${ref.providerId}" to "${object.providerId}"`,
      );
      const found = await read(plugin, ref);
      expectThat(found !== undefined, "Read does not find the object after Update");
      for (const [source, current] of [
        ["Update", object],
        ["Read", found],
      ] as const) {
        const reply = await diff(plugin, ref, sample.change, current);
        expectThat(isQuiet(reply), `After Update, Diff against what ${source} answered says ${describeDiff(reply)}`);
      }
    },
  },
  {
    id: "update-gone",
    title: "Update of what is gone fails as not found, and makes nothing",
    contract: "advised",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { plugin } = await subject.session();
      const made = await objects.make(sample);
      await objects.remove(sample, made);
      const ended = await tryUpdate(plugin, sample, made.ref, sample.change ?? sample.config);
      expectThat(
        !ended.ok && hasSentinel(ended),
        `Update of what is gone ended with ${describeEnd(ended)}, expected "iac: resource not found"`,
      );
      expectThat((await read(plugin, made.ref)) === undefined, "Update of what is gone made it again");
    },
  },
  {
    id: "replace",
    title: "Delete and then Create, which is a replace, gives a new object and leaves nothing of the old one",
    contract: "required",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { plugin } = await subject.session();
      const old = await objects.make(sample);
      await objects.remove(sample, old);
      const made = await objects.make(sample, { name: old.ref.name, config: sample.replace ?? sample.config });
      expectThat((await read(plugin, made.ref)) !== undefined, "Read does not find the object that replaced another");
      if (made.ref.providerId === old.ref.providerId) return;
      expectThat((await read(plugin, old.ref)) === undefined, "Read still finds the object that was replaced");
    },
  },
  {
    id: "invalid-input",
    title: "Create of an invalid configuration is refused as invalid and makes nothing",
    contract: "advised",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { plugin } = await subject.session();
      const name = subject.freshName(sample.name);
      const config = sample.invalid ?? { ...sample.config, wfctl_conformance_unknown: true };
      const ref = { name, type: sample.type, providerId: "" };
      objects.track(sample, ref);
      const ended = await tryCreate(plugin, sample, name, config);
      expectThat(!ended.ok, "Create accepts a configuration that should be invalid");
      expectThat(
        hasSentinel(ended, validation),
        `Create of an invalid configuration failed with ${describeEnd(ended)}, without "${validation}"`,
      );
      expectThat((await read(plugin, ref)) === undefined, "Create of an invalid configuration made something");
    },
  },
  {
    id: "unknown-type",
    title: "a type that the plugin does not have is an error that cannot be taken for an absent object",
    contract: "required",
    strict: "required",
    scope: "plugin",
    async run({ subject }) {
      const { plugin } = await subject.session();
      const type = "wfctl.conformance_unknown";
      const ref = { name: subject.freshName("x"), type, providerId: "x" };
      const ended = await tryRead(plugin, ref);
      expectThat(!ended.ok, `Read of type ${type} succeeded`);
      expectThat(
        !hasSentinel(ended),
        `Read of a type that the plugin does not have says ${describeEnd(ended)}: hosts take that for an absent object`,
      );
      const spec = encodeSpec({ name: ref.name, type, config: {}, dependsOn: [] });
      const created = await call(plugin, iac.ResourceDriver.method.create, { resourceType: type, spec });
      expectThat(!created.ok, `Create of type ${type} succeeded`);
    },
  },
  {
    id: "type-missing",
    title: "a request without a resource type is refused as invalid",
    contract: "advised",
    strict: "required",
    scope: "plugin",
    async run({ subject }) {
      const { plugin } = await subject.session();
      const ended = await call(plugin, iac.ResourceDriver.method.read, { resourceType: "", ref: { name: "x" } });
      expectThat(
        !ended.ok && ended.code === status.INVALID_ARGUMENT,
        `Read without a type ended with ${describeEnd(ended)}, expected INVALID_ARGUMENT`,
      );
    },
  },
  {
    id: "health-check",
    title: "HealthCheck answers with a result, for an object that is there and for one that is not",
    contract: "required",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { ref } = await objects.shared(sample);
      const { plugin } = await subject.session();
      const gone = { name: subject.freshName(sample.name), type: sample.type, providerId: "" };
      for (const each of [ref, gone]) {
        const request = { resourceType: sample.type, ref: encodeRef(each) };
        const ended = await call(plugin, iac.ResourceDriver.method.healthCheck, request);
        if (!ended.ok) {
          expectThat(each === gone, `HealthCheck failed with ${describeStatus(ended)}`);
          continue;
        }
        expectThat(
          ended.response.result !== undefined,
          "HealthCheck answered OK without its result: Go hosts dereference it",
        );
        expectThat(
          each !== gone || !ended.response.result.healthy,
          "HealthCheck says that what is not there is healthy",
        );
      }
    },
  },
  {
    id: "sensitive",
    title: "secret outputs are texts, and SensitiveKeys lists at least the keys that answers mark",
    contract: "required",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { ref, object } = await objects.shared(sample);
      const { plugin } = await subject.session();
      const ended = await call(plugin, iac.ResourceDriver.method.sensitiveKeys, { resourceType: sample.type });
      const listed = responseOf("SensitiveKeys", ended).keys;
      const found = await read(plugin, ref);
      for (const [source, each] of [
        ["Create", object],
        ["Read", found],
      ] as const) {
        for (const key of [...(each?.sensitive ?? []), ...listed]) {
          const value = each?.outputs[key];
          expectThat(
            value === undefined || typeof value === "string",
            `${source} answers with the secret output "${key}" as ${Array.isArray(value) ? "a list" : typeof value}; it should be a text`,
          );
        }
        const unlisted = (each?.sensitive ?? []).filter((key) => !listed.includes(key));
        expectThat(unlisted.length === 0, `${source} marks ${unlisted.join(", ")} as secret, SensitiveKeys does not`);
      }
    },
  },
  {
    id: "import",
    title: "Import by id gives a state with that id, and no time that is not known",
    contract: "advised",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { ref } = await objects.shared(sample);
      const { plugin } = await subject.session();
      const { state } = responseOf(
        "Import",
        await call(plugin, iac.IaCProviderRequired.method.import, {
          providerId: ref.providerId,
          resourceType: sample.type,
        }),
      );
      if (state === undefined) throw new Problem("Import answered OK without its state");
      expectThat(
        state.providerId === "" || state.providerId === ref.providerId,
        `Import of "${ref.providerId}" answered with the id "${state.providerId}"`,
      );
      const year = 366n * 86_400n;
      for (const [key, time] of [
        ["created_at", state.createdAt],
        ["updated_at", state.updatedAt],
      ] as const) {
        const isEpoch = time !== undefined && time.seconds > -year && time.seconds < year;
        expectThat(!isEpoch, `Import answered with ${key} in 1970; a time that is not known is left out`);
      }
    },
  },
  {
    id: "status",
    title: "Status of named objects answers for each of them",
    contract: "advised",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { ref } = await objects.shared(sample);
      const { plugin } = await subject.session();
      const request = { refs: [encodeRef(ref)] };
      const { statuses } = responseOf("Status", await call(plugin, iac.IaCProviderRequired.method.status, request));
      const own = statuses.find(({ name, providerId }) => name === ref.name || providerId === ref.providerId);
      if (own === undefined) throw new Problem(`Status of "${ref.name}" answered with ${statuses.length} others`);
      const words = ["running", "stopped", "degraded", "unknown"];
      expectThat(words.includes(own.status), `Status says "${own.status}", expected one of ${words.join(", ")}`);
    },
  },
  {
    id: "enumerate",
    title: "EnumerateAll of a type lists what exists, each with its id and outputs",
    contract: "advised",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { ref } = await objects.shared(sample);
      const session = await subject.session();
      requireService(session, iacServiceNames.IaCProviderEnumerator);
      const { enumerateAll } = iac.IaCProviderEnumerator.method;
      const ended = await call(session.plugin, enumerateAll, { resourceType: sample.type });
      skipUnless(ended.ok || ended.code !== status.UNIMPLEMENTED, `${sample.type} cannot be listed`);
      const { outputs } = responseOf("EnumerateAll", ended);
      const own = outputs.find(({ providerId }) => providerId === ref.providerId);
      if (own === undefined)
        throw new Problem(`EnumerateAll lists ${outputs.length} objects and not "${ref.providerId}"`);
      expectThat(
        own.outputsJson.byteLength > jsonToBytes({}).byteLength,
        "EnumerateAll lists the object without outputs",
      );
    },
  },
];
