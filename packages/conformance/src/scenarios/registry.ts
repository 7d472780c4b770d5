import type { DescMessage, DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import {
  ext,
  extServiceNames,
  extServices,
  iac,
  iacServiceNames,
  iacServices,
  openBidiCall,
  plugin,
  serverStreamCall,
} from "@wfctl/contract";
import { expectThat, Problem, type PluginScenario, type Trial } from "../scenario.ts";
import { call, describeStatus, responseOf } from "../subject/call.ts";
import type { RawPlugin } from "../subject/raw-plugin.ts";

/** A call that changes nothing anywhere; resolves to its status code. */
type Probe = (plugin: RawPlugin, type: string) => Promise<{ code: number; message: string }>;

const probeMs = 60_000;
const nobody = "wfctl-conformance-nobody";
const nothing = (type: string) => ({ name: nobody, type, providerId: nobody });

function unary<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I> | ((type: string) => MessageInitShape<I>),
): Probe {
  return async (started, type) => {
    const message = typeof request === "function" ? request(type) : request;
    const ended = await call(started, method, message, { timeoutMs: probeMs });
    return ended.ok ? { code: status.OK, message: "" } : ended;
  };
}

/** Reads the first reply of a stream, then leaves. */
async function endOf(replies: AsyncGenerator<unknown, void, undefined>): Promise<{ code: number; message: string }> {
  try {
    await replies.next();
    return { code: status.OK, message: "" };
  } catch (error) {
    const { code = status.UNKNOWN, details = String(error) } = error as { code?: number; details?: string };
    return { code, message: details };
  } finally {
    await replies.return().catch(() => {});
  }
}

/** By the service's full name. Several where every one of them must be served. */
const probes: ReadonlyMap<string, readonly Probe[]> = new Map<string, readonly Probe[]>([
  [
    iacServiceNames.IaCProviderRequired,
    [
      unary(iacServices.IaCProviderRequired.method.name, {}),
      unary(iacServices.IaCProviderRequired.method.version, {}),
      unary(iacServices.IaCProviderRequired.method.capabilities, {}),
      unary(iacServices.IaCProviderRequired.method.plan, {}),
      unary(iacServices.IaCProviderRequired.method.destroy, {}),
      unary(iacServices.IaCProviderRequired.method.status, (type) => ({ refs: [nothing(type)] })),
      unary(iacServices.IaCProviderRequired.method.import, (type) => ({ resourceType: type, providerId: nobody })),
      unary(iacServices.IaCProviderRequired.method.resolveSizing, (type) => ({ resourceType: type, size: "s" })),
    ],
  ],
  [
    iacServiceNames.ResourceDriver,
    [
      unary(iacServices.ResourceDriver.method.read, (type) => ({ resourceType: type, ref: nothing(type) })),
      unary(iacServices.ResourceDriver.method.diff, (type) => ({
        resourceType: type,
        desired: { name: nobody, type },
        current: nothing(type),
      })),
      unary(iacServices.ResourceDriver.method.healthCheck, (type) => ({ resourceType: type, ref: nothing(type) })),
      unary(iacServices.ResourceDriver.method.sensitiveKeys, (type) => ({ resourceType: type })),
    ],
  ],
  [
    iacServiceNames.IaCProviderEnumerator,
    [unary(iacServices.IaCProviderEnumerator.method.enumerateByTag, { tag: nobody })],
  ],
  [iacServiceNames.IaCProviderDriftDetector, [unary(iacServices.IaCProviderDriftDetector.method.detectDrift, {})]],
  [
    iacServiceNames.IaCProviderDriftConfigDetector,
    [unary(iacServices.IaCProviderDriftConfigDetector.method.detectDriftConfig, {})],
  ],
  [
    iacServiceNames.IaCProviderCredentialRevoker,
    [
      unary(iacServices.IaCProviderCredentialRevoker.method.revokeProviderCredential, {
        source: nobody,
        credentialId: nobody,
      }),
    ],
  ],
  [iacServiceNames.IaCProviderRegionLister, [unary(iacServices.IaCProviderRegionLister.method.listRegions, {})]],
  [
    iacServiceNames.IaCProviderOwnership,
    [unary(iacServices.IaCProviderOwnership.method.getOwner, (type) => ({ ref: nothing(type) }))],
  ],
  [
    iacServiceNames.IaCProviderFinalizer,
    [unary(iacServices.IaCProviderFinalizer.method.finalizeApply, { planId: nobody })],
  ],
  [
    iacServiceNames.IaCProviderMigrationRepairer,
    [unary(iacServices.IaCProviderMigrationRepairer.method.repairDirtyMigration, {})],
  ],
  [iacServiceNames.IaCProviderValidator, [unary(iacServices.IaCProviderValidator.method.validatePlan, { plan: {} })]],
  [
    iacServiceNames.IaCProviderLogCapture,
    [
      (started) =>
        endOf(
          serverStreamCall(
            started.client,
            iacServices.IaCProviderLogCapture.method.captureLogs,
            { resourceName: nobody },
            { deadline: Date.now() + probeMs },
          ),
        ),
    ],
  ],
  [iacServiceNames.IaCProviderRunner, [unary(iacServices.IaCProviderRunner.method.jobStatus, { id: nobody })]],
  [
    iacServiceNames.IaCRequirementDiscovery,
    [unary(iacServices.IaCRequirementDiscovery.method.discoverRequirements, {})],
  ],
  [
    iacServiceNames.IaCProviderRequirementMapper,
    [unary(iacServices.IaCProviderRequirementMapper.method.mapRequirements, { provider: nobody })],
  ],
  [iacServiceNames.IaCStateBackend, [unary(iacServices.IaCStateBackend.method.listBackendNames, {})]],
  [extServiceNames.ProviderIdentity, [unary(extServices.ProviderIdentity.method.getIdentity, {})]],
  [extServiceNames.ResourceSchemas, [unary(extServices.ResourceSchemas.method.listResourceTypes, {})]],
  [
    extServiceNames.ClientTokens,
    [
      unary(extServices.ClientTokens.method.lookup, (type) => ({
        resourceType: type,
        clientToken: nobody,
        name: nobody,
      })),
    ],
  ],
  [extServiceNames.Configurations, [unary(extServices.Configurations.method.close, { instance: nobody })]],
  [extServiceNames.RunControl, [unary(extServices.RunControl.method.stop, { run: nobody })]],
  [
    extServiceNames.DriverSession,
    [
      async (started) => {
        const stream = openBidiCall(started.client, ext.DriverSession.method.run, { deadline: Date.now() + probeMs });
        stream.end();
        return endOf(stream.replies);
      },
    ],
  ],
]);

async function probeAll(
  trial: Trial,
  wanted: (advertised: boolean) => boolean,
): Promise<Map<string, { code: number; message: string }[]>> {
  const { services } = await trial.subject.session();
  const type =
    trial.config.samples[0]?.type ?? trial.subject.installed.parsed.manifest?.resourceTypes[0] ?? "infra.vpc";
  const answers = new Map<string, { code: number; message: string }[]>();
  for (const [name, list] of probes) {
    if (!wanted(services.has(name))) continue;
    const ended: { code: number; message: string }[] = [];
    for (const probe of list) {
      // The one before may have ended the process.
      const { plugin: started } = await trial.subject.session();
      ended.push(await probe(started, type));
      if (started.exit !== undefined) throw new Problem(`The plugin ended when a method of ${name} was called`);
    }
    answers.set(name, ended);
  }
  return answers;
}

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
