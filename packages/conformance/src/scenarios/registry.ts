import { status } from "@grpc/grpc-js";
import { ext, extServiceNames, iac, iacServiceNames, plugin } from "@wfctl/contract";
import { expectThat, Problem, type PluginScenario } from "../scenario.ts";
import { call, describeStatus, responseOf } from "../subject/call.ts";
import { probeAll } from "./registry-probes.ts";

const probeMs = 60_000;

export const registryScenarios: readonly PluginScenario[] = [
  {
    id: "registry",
    title: `GetContractRegistry lists ${iacServiceNames.IaCProviderRequired} and ${iacServiceNames.ResourceDriver}`,
    contract: "required",
    strict: "required",
    scope: "plugin",
    async run({ subject }) {
      const { services } = await subject.session();
      for (const name of [iacServiceNames.IaCProviderRequired, iacServiceNames.ResourceDriver]) {
        expectThat(services.has(name), `The registry lacks ${name}; it lists ${[...services].join(", ") || "nothing"}`);
      }
    },
  },
  {
    id: "registry-file-set",
    title: "a file_descriptor_set in the registry, if any, is one",
    contract: "required",
    strict: "required",
    scope: "plugin",
    async run({ subject }) {
      const { plugin: started } = await subject.session();
      const registry = responseOf(
        "GetContractRegistry",
        await call(started, plugin.PluginService.method.getContractRegistry, {}),
      );
      const files = registry.fileDescriptorSet?.file ?? [];
      const nameless = files.filter(({ name }) => name === "");
      expectThat(
        nameless.length === 0,
        "file_descriptor_set holds a file without a name: Go hosts refuse the registry",
      );
    },
  },
  {
    id: "registry-served",
    title: "every advertised service answers something other than UNIMPLEMENTED",
    contract: "advised",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      const answers = await probeAll(trial, (advertised) => advertised);
      const stubs = [...answers].filter(([, ended]) => ended.every(({ code }) => code === status.UNIMPLEMENTED));
      expectThat(stubs.length === 0, `Advertised and not served: ${stubs.map(([name]) => name).join(", ")}`);
    },
  },
  {
    id: "registry-methods",
    title: "the methods that hosts call of the required service and of the driver are all served",
    contract: "advised",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      const answers = await probeAll(trial, (advertised) => advertised);
      for (const name of [iacServiceNames.IaCProviderRequired, iacServiceNames.ResourceDriver]) {
        const missing = (answers.get(name) ?? []).find(({ code }) => code === status.UNIMPLEMENTED);
        if (missing !== undefined) throw new Problem(`A method of ${name} is not served: ${describeStatus(missing)}`);
      }
    },
  },
  {
    id: "registry-complete",
    title: "nothing is served under our names that the registry does not advertise",
    contract: "advised",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      const answers = await probeAll(trial, (advertised) => !advertised);
      const hidden = [...answers].filter(([, ended]) => ended.some(({ code }) => code !== status.UNIMPLEMENTED));
      expectThat(
        hidden.length === 0,
        `Served and not advertised: ${hidden.map(([name, ended]) => `${name} (${status[ended.find(({ code }) => code !== status.UNIMPLEMENTED)?.code ?? 0]})`).join(", ")}`,
      );
    },
  },
  {
    id: "initialize-empty",
    title: "Initialize without a configuration is answered, with success or an error, and the plugin lives on",
    contract: "advised",
    strict: "required",
    scope: "plugin",
    async run({ subject }) {
      const started = await subject.start();
      try {
        await call(started, iac.IaCProviderRequired.method.initialize, {}, { timeoutMs: probeMs });
        const after = await call(started, iac.IaCProviderRequired.method.name, {}, { timeoutMs: probeMs });
        expectThat(after.ok, "After Initialize without a configuration the plugin does not answer");
      } finally {
        await started.end();
      }
    },
  },
  {
    id: "initialize-strict",
    title: "Initialize refuses an unknown key of the configuration as invalid, naming it",
    contract: "off",
    strict: "required",
    scope: "plugin",
    async run({ subject, config }) {
      const started = await subject.start();
      try {
        const key = "wfctl_conformance_unknown";
        const configJson = Buffer.from(JSON.stringify({ ...config.provider, [key]: true }));
        const ended = await call(started, iac.IaCProviderRequired.method.initialize, { configJson });
        if (ended.ok) throw new Problem(`Initialize accepts the unknown key "${key}"`);
        const what = describeStatus(ended);
        expectThat(
          ended.code === status.INVALID_ARGUMENT,
          `Initialize with an unknown key failed with ${what}, expected INVALID_ARGUMENT`,
        );
        expectThat(ended.message.includes(key), `Initialize does not name the unknown key: ${what}`);
      } finally {
        await started.end();
      }
    },
  },
  {
    id: "identity",
    title: "GetIdentity says who answers, the same in every process with the same configuration",
    contract: "off",
    strict: "required",
    scope: "plugin",
    async run({ subject }) {
      const { getIdentity } = ext.ProviderIdentity.method;
      const first = await subject.session();
      expectThat(
        first.services.has(extServiceNames.ProviderIdentity),
        `The plugin does not advertise ${extServiceNames.ProviderIdentity}`,
      );
      const { identity } = responseOf("GetIdentity", await call(first.plugin, getIdentity, {}));
      expectThat(identity !== "", "GetIdentity answers with an empty identity");
      const second = await subject.startSession();
      try {
        const again = responseOf("GetIdentity", await call(second.plugin, getIdentity, {}));
        expectThat(
          again.identity === identity,
          `GetIdentity says "${identity}" in one process and "${again.identity}" in the next`,
        );
      } finally {
        await second.plugin.end();
      }
    },
  },
];
