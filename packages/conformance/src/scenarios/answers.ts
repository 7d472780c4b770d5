import { status } from "@grpc/grpc-js";
import { encodeRef, encodeSpec, iac, iacServiceNames, jsonToBytes } from "@wfctl/contract";
import { expectThat, Problem, skipUnless, type Scenario } from "../scenario.ts";
import { call, describeStatus, responseOf } from "../subject/call.ts";
import { describeEnd, hasSentinel, read, tryRead } from "../subject/driver.ts";
import { requireService } from "../subject/subject.ts";

export const answerScenarios: readonly Scenario[] = [
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
      requireService(session, iacServiceNames.IaCProviderEnumerator, "optional");
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
