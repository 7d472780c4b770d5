import { status } from "@grpc/grpc-js";
import { encodeSpec, iac, jsonToBytes, maxRequestBytes } from "@wfctl/contract";
import { expectThat, Problem, skipUnless, type PluginScenario, type Trial } from "../scenario.ts";
import { call, describeStatus } from "../subject/call.ts";

const mebibyte = 1024 * 1024;
const timeoutMs = 120_000;

/** The answer may be anything that the plugin says itself: what counts is that the request arrived. */
async function expectReceived(trial: Trial, bytes: number): Promise<void> {
  const { plugin } = await trial.subject.session();
  const [sample] = trial.config.samples;
  const type = sample?.type ?? "infra.vpc";
  const name = trial.subject.freshName("large");
  const config = { ...sample?.config, wfctl_conformance_padding: "x".repeat(bytes) };
  const desired = encodeSpec({ name, type, config, dependsOn: [] });
  const ended = await call(
    plugin,
    iac.ResourceDriver.method.diff,
    { resourceType: type, desired, current: { name, type, outputsJson: jsonToBytes({}) } },
    { timeoutMs },
  );
  const size = `${(bytes / mebibyte).toFixed(1)} MiB`;
  if (!ended.ok && (ended.code === status.RESOURCE_EXHAUSTED || !ended.error.answered)) {
    throw new Problem(`A request of ${size} did not arrive: ${describeStatus(ended)}`);
  }
  expectThat(plugin.exit === undefined, `The plugin ended on a request of ${size}`);
}

export const payloadScenarios: readonly PluginScenario[] = [
  {
    id: "large-request",
    title: "a request of nearly 4 MiB arrives",
    contract: "required",
    strict: "required",
    scope: "plugin",
    run: (trial) => expectReceived(trial, maxRequestBytes - 256 * 1024),
  },
  {
    id: "larger-request",
    title: "a request of 6 MiB arrives",
    contract: "off",
    strict: "required",
    scope: "plugin",
    run: (trial) => expectReceived(trial, 6 * mebibyte),
  },
  {
    id: "large-reply",
    title: "a reply of more than 4 MiB is sent: the plan of many resources",
    contract: "required",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      const { plugin } = await trial.subject.session();
      const [sample] = trial.config.samples;
      skipUnless(sample !== undefined, "there is no sample to plan");
      const specOf = (index: number) =>
        encodeSpec({ name: `${sample.name}-${index}`, type: sample.type, config: sample.config, dependsOn: [] });
      // A planned action holds the wish and some 80 bytes more; the request stays below what every plugin accepts.
      const bytesEach = specOf(100_000).configJson.byteLength + sample.name.length + sample.type.length + 20;
      const count = Math.floor((maxRequestBytes - 256 * 1024) / bytesEach);
      const desired = Array.from({ length: count }, (_, index) => specOf(index));
      const ended = await call(plugin, iac.IaCProviderRequired.method.plan, { desired }, { timeoutMs });
      if (!ended.ok) {
        skipUnless(ended.code !== status.UNIMPLEMENTED, "the plugin has no Plan");
        throw new Problem(`Plan of ${count} resources failed with ${describeStatus(ended)}`);
      }
      const found = ended.response.plan?.actions.length ?? 0;
      expectThat(found === count, `Plan of ${count} resources answered with ${found} actions`);
    },
  },
];
