import type { DescMessage, DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import {
  ext,
  extServiceNames,
  extServices,
  iacServiceNames,
  iacServices,
  openBidiCall,
  serverStreamCall,
} from "@wfctl/contract";
import { Problem, type Trial } from "../scenario.ts";
import { call } from "../subject/call.ts";
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

export async function probeAll(
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
