import { encodeOutput, encodeSpec, iac } from "@wfctl/contract";
import { jsonEqual, type JsonObject } from "@wfctl/model";
import { expectThat, skipUnless, type SampleScenario } from "../scenario.ts";
import { call, describeStatus } from "../subject/call.ts";
import { describeDiff, diff, isQuiet, read } from "../subject/driver.ts";

/** As many as upstream's hosts ask at once. */
const concurrency = 8;

export const diffScenarios: readonly SampleScenario[] = [
  {
    id: "diff-quiet",
    title: "right after Create, Diff of the same configuration says that nothing is to do",
    contract: "required",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { ref, config, object } = await objects.shared(sample);
      const { plugin } = await subject.session();
      const found = await read(plugin, ref);
      expectThat(found !== undefined, "Read does not find the object");
      for (const [source, current] of [
        ["Create", object],
        ["Read", found],
      ] as const) {
        const reply = await diff(plugin, ref, config, current);
        expectThat(
          isQuiet(reply),
          `Diff against what ${source} answered says ${describeDiff(reply)}; nothing has changed`,
        );
      }
    },
  },
  {
    id: "diff-change",
    title: "Diff of a changed configuration says update, and names a key that changed",
    contract: "required",
    strict: "required",
    scope: "sample",
    waivable: true,
    async run({ subject, objects }, sample) {
      skipUnless(sample.change !== undefined, `the sample of ${sample.type} has no "change"`);
      const { ref, object } = await objects.shared(sample);
      const { plugin } = await subject.session();
      const reply = await diff(plugin, ref, sample.change, object);
      expectThat(reply.needsUpdate, `Diff of a changed configuration says ${describeDiff(reply)}, expected an update`);
      expectThat(!reply.needsReplace, `Diff of "change" says ${describeDiff(reply)}, expected an update in place`);
      const keys = changedKeys(sample.config, sample.change);
      const named = reply.changes.some(({ path }) => keys.some((key) => path.split(/[.[]/).includes(key)));
      expectThat(
        named,
        `Diff names ${reply.changes.map(({ path }) => path).join(", ") || "nothing"}; what changed is ${keys.join(", ")}`,
      );
    },
  },
  {
    id: "diff-replace",
    title: "Diff of a change that needs a new object says replace, by its flag or by force_new",
    contract: "required",
    strict: "required",
    scope: "sample",
    waivable: true,
    async run({ subject, objects }, sample) {
      skipUnless(sample.replace !== undefined, `the sample of ${sample.type} has no "replace"`);
      const { ref, object } = await objects.shared(sample);
      const { plugin } = await subject.session();
      const reply = await diff(plugin, ref, sample.replace, object);
      const forced = reply.needsReplace || reply.changes.some(({ forceNew }) => forceNew);
      expectThat(forced, `Diff of "replace" says ${describeDiff(reply)}, expected a replace`);
    },
  },
  {
    id: "diff-pure",
    title: "Diff changes nothing and gives the same answer each time, also when asked many times at once",
    contract: "required",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { ref, object } = await objects.shared(sample);
      const { plugin } = await subject.session();
      const wanted = sample.change ?? sample.config;
      const before = await read(plugin, ref);
      const replies = await Promise.all(Array.from({ length: concurrency }, () => diff(plugin, ref, wanted, object)));
      replies.push(await diff(plugin, ref, wanted, object));
      const [first] = replies;
      const shape = (reply: (typeof replies)[number]): string =>
        JSON.stringify([reply.needsUpdate, reply.needsReplace, reply.changes.map(({ path }) => path).toSorted()]);
      const other = replies.find((reply) => first !== undefined && shape(reply) !== shape(first));
      expectThat(
        other === undefined,
        `Diff of the same answers differently: ${first === undefined ? "" : describeDiff(first)}, then ${other === undefined ? "" : describeDiff(other)}`,
      );
      const after = await read(plugin, ref);
      expectThat(after !== undefined && before !== undefined, "After Diff, Read does not find the object");
      const { applied_config: _before, ...outputsBefore } = before.outputs;
      const { applied_config: _after, ...outputsAfter } = after.outputs;
      expectThat(jsonEqual(outputsBefore, outputsAfter), "After Diff, Read gives other outputs than before");
      const quiet = await diff(plugin, ref, sample.config, after);
      expectThat(isQuiet(quiet), `After Diff, the object has changed: ${describeDiff(quiet)}`);
    },
  },
  {
    id: "diff-placeholders",
    title: "secrets as secret_ref:// placeholders in recorded outputs are no change, unresolved ${…} is no error",
    contract: "required",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { ref, config, object } = await objects.shared(sample);
      const { plugin } = await subject.session();
      const hidden = { ...object.outputs };
      for (const key of object.sensitive) hidden[key] = `secret_ref://${ref.name}__${key}`;
      if (object.sensitive.length > 0) {
        const reply = await diff(plugin, ref, config, { ...object, outputs: hidden });
        expectThat(isQuiet(reply), `With placeholders for secret outputs, Diff says ${describeDiff(reply)}`);
      }
      const key = Object.keys(config).find((each) => typeof config[each] === "string");
      if (key === undefined) return;
      const desired = encodeSpec({
        name: ref.name,
        type: ref.type,
        config: { ...config, [key]: "${another.output}" },
        dependsOn: [],
      });
      const current = encodeOutput({ ...object, sensitive: [] });
      const request = { resourceType: ref.type, desired, current };
      const ended = await call(plugin, iac.ResourceDriver.method.diff, request);
      expectThat(
        ended.ok,
        `Diff with an unresolved reference in "${key}" failed with ${ended.ok ? "" : describeStatus(ended)}`,
      );
    },
  },
];

function changedKeys(before: JsonObject, after: JsonObject): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => !jsonEqual(before[key] ?? null, after[key] ?? null));
}
