import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import {
  encodeCallContext,
  ext,
  extServiceNames,
  iac,
  iacServiceNames,
  plugin,
  requiredPlanVersion,
  toProviderError,
  unaryCall,
} from "@wfctl/contract";
import { WfctlError, type ErrorCode } from "@wfctl/model";

import { askPatiently } from "./ask-patiently.ts";
import { connectPlugin, type PluginConnection } from "./connection.ts";
import { pluginTitle, upgradeHint } from "./gate.ts";
import type { PluginChild } from "./launch.ts";
import { isUnimplemented, loadFailure, type LoadSubject } from "./load-failure.ts";
import type { FoundPlugin } from "./lookup.ts";
import type { HostTimeouts } from "./options.ts";
import { stripControls } from "./output-lines.ts";
import { readSchemas, type PluginSchemas } from "./plugin-schemas.ts";
import { seconds, tellWaiting, type Waiting } from "./tell-waiting.ts";

/** A plugin that has passed the gate as far as it can without a configuration. */
export interface LoadedPlugin {
  readonly connection: PluginConnection;
  readonly subject: LoadSubject;
  /** As the running plugin says, else as its plugin.json does. */
  readonly version: string;
  /** Full names of the advertised services. */
  readonly services: ReadonlySet<string>;
  /** Resource types that the plugin lists; undefined where it answers `Capabilities` only after `Initialize`. */
  readonly capabilities: readonly string[] | undefined;
  readonly schemas: PluginSchemas | undefined;
}

export interface LoadOptions {
  readonly found: FoundPlugin;
  readonly timeouts: Required<HostTimeouts>;
  readonly maxReplyBytes: number;
  readonly log: (line: string) => void;
  readonly redact: (text: string) => string;
  readonly waiting: Waiting;
  /** False for a plugin that ended when it was asked for its capabilities before it had a configuration. */
  readonly capabilitiesFirst: boolean;
}

/** The plugin ended when it was asked for its capabilities without a configuration. To be launched again, asking later. */
export class EarlyCapabilitiesCrash extends Error {}

/** Whom a call of the load sequence goes to, and what its failure names. */
export type Callee = Pick<LoadedPlugin, "connection" | "subject">;

const { PluginService } = plugin;

/**
 * Checks a plugin that has printed its handshake, in upstream's order but for one thing: the version gate comes before
 * `Initialize` where the plugin answers it, so that a refused plugin never sees a credential.
 * Throws a `WfctlError`, or `EarlyCapabilitiesCrash`; the process is killed then.
 */
export async function loadPlugin(child: PluginChild, options: LoadOptions): Promise<LoadedPlugin> {
  const { found, redact, log, timeouts, waiting } = options;
  const connection = connectPlugin(child, {
    maxReplyBytes: options.maxReplyBytes,
    onStderr: (line) => log(`plugin "${found.plugin.folder}" stderr: ${redact(stripControls(line))}`),
  });
  const callee: Callee = { connection, subject: subjectOf(found, child, { redact, waiting }) };
  try {
    const version = (await readManifestVersion(callee, timeouts)) || found.manifest.version;
    const services = await readRegistry(callee, timeouts);
    requireService(callee, services, iacServiceNames.IaCProviderRequired);
    // Both settle before a failure of one is told: nothing may run on while the process is killed.
    const [capabilities, schemas] = await Promise.allSettled([
      options.capabilitiesFirst ? readEarlyCapabilities(callee, timeouts) : undefined,
      services.has(extServiceNames.ResourceSchemas) ? listSchemas(callee, timeouts) : undefined,
    ]);
    if (capabilities.status === "rejected") throw capabilities.reason;
    if (schemas.status === "rejected") throw schemas.reason;
    return { ...callee, version, services, capabilities: capabilities.value, schemas: schemas.value };
  } catch (error) {
    child.kill();
    throw error;
  }
}

function subjectOf(
  found: FoundPlugin,
  child: PluginChild,
  listeners: Pick<LoadSubject, "redact" | "waiting">,
): LoadSubject {
  return {
    plugin: found.manifest.name,
    directory: found.plugin.directory,
    title: pluginTitle(found),
    hint: upgradeHint(found.plugin),
    child,
    ...listeners,
  };
}

/** The first call, and so the one that finds out whether anyone listens. */
async function readManifestVersion(callee: Callee, { loadCallMs }: Required<HostTimeouts>): Promise<string> {
  const manifest = await askOptional(callee, PluginService.method.getManifest, { timeoutMs: loadCallMs });
  return manifest?.version ?? "";
}

/** A plugin without a registry advertises nothing. */
async function readRegistry(callee: Callee, { loadCallMs }: Required<HostTimeouts>): Promise<ReadonlySet<string>> {
  const registry = await askOptional(callee, PluginService.method.getContractRegistry, { timeoutMs: loadCallMs });
  const services = (registry?.contracts ?? []).filter(({ kind }) => kind === plugin.ContractKind.SERVICE);
  return new Set(services.map(({ serviceName }) => serviceName));
}

function requireService({ subject }: Callee, services: ReadonlySet<string>, name: string): void {
  if (services.has(name)) return;
  const listed = services.size === 0 ? "no service at all" : [...services].toSorted().join(", ");
  throw new WfctlError(
    "PLUGIN_SERVICE",
    `Plugin ${subject.title} does not advertise ${name}; it advertises ${listed}`,
    {
      hint: subject.hint,
    },
  );
}

/** Undefined where the plugin answers with an error: it wants its configuration first. */
async function readEarlyCapabilities(
  callee: Callee,
  timeouts: Required<HostTimeouts>,
): Promise<readonly string[] | undefined> {
  try {
    return await readCapabilities(callee, timeouts, { patient: false });
  } catch (error) {
    if (!(error instanceof WfctlError)) throw error;
    if (error.code === "PLUGIN_EXITED") throw new EarlyCapabilitiesCrash(error.message, { cause: error });
    const isError = error.code === "PLUGIN_SERVICE" && !isUnimplemented(error.cause);
    if (!isError) throw error;
    return undefined;
  }
}

/** The resource types that the plugin lists, once it has passed the gate. Throws `PLUGIN_VERSION`, and as `ask`. */
export async function readCapabilities(
  callee: Callee,
  timeouts: Required<HostTimeouts>,
  options: { readonly patient?: boolean } = {},
): Promise<readonly string[]> {
  const { capabilities } = iac.IaCProviderRequired.method;
  const reply = await ask(callee, capabilities, { timeoutMs: timeouts.capabilitiesMs, ...options });
  const declared = reply.computePlanVersion;
  if (declared === requiredPlanVersion) return reply.capabilities.map(({ resourceType }) => resourceType);
  const found = declared === "" ? "nothing" : JSON.stringify(declared.slice(0, 80));
  const { title, hint } = callee.subject;
  throw new WfctlError(
    "PLUGIN_VERSION",
    `Plugin ${title} was refused: its Capabilities declare ${found} as compute_plan_version and must declare "${requiredPlanVersion}"`,
    { hint },
  );
}

async function listSchemas(callee: Callee, { loadCallMs }: Required<HostTimeouts>): Promise<PluginSchemas | undefined> {
  const reply = await askOptional(callee, ext.ResourceSchemas.method.listResourceTypes, { timeoutMs: loadCallMs });
  if (reply === undefined) return undefined;
  try {
    return readSchemas(reply);
  } catch (error) {
    const { title, hint } = callee.subject;
    const { message } = toProviderError(error);
    throw new WfctlError(
      "PLUGIN_REPLY",
      `Plugin ${title} answered ListResourceTypes with what cannot be read: ${message}`,
      { hint, cause: error },
    );
  }
}

export interface AskOptions<I extends DescMessage> {
  readonly timeoutMs: number;
  /** Of a failure that no other code fits. @default PLUGIN_SERVICE */
  readonly code?: ErrorCode;
  /** Whether it is asked again where the plugin is throttled or not ready. @default true */
  readonly patient?: boolean;
  /** The configuration that is asked, where the process may have several. */
  readonly instance?: string | undefined;
  readonly request?: MessageInitShape<I>;
}

/** One call of the load sequence. Throws a `WfctlError` only. */
export async function ask<I extends DescMessage, O extends DescMessage>(
  { connection, subject }: Callee,
  method: DescMethodUnary<I, O>,
  options: AskOptions<I>,
): Promise<MessageShape<O>> {
  const { timeoutMs, code = "PLUGIN_SERVICE", request = {} as MessageInitShape<I>, instance } = options;
  const deadline = Date.now() + timeoutMs;
  const metadata = instance === undefined ? {} : { metadata: encodeCallContext({ instance }) };
  const told = `Plugin ${subject.title} has not answered ${method.name} yet: it has up to ${seconds(timeoutMs)}`;
  try {
    const call = (): ReturnType<typeof unaryCall<I, O>> =>
      unaryCall(connection.client, method, request, { deadline, ...metadata });
    const asked = options.patient === false ? call() : askPatiently(call, deadline);
    return (await tellWaiting(asked, subject.waiting, told)).response;
  } catch (error) {
    throw await loadFailure(error, subject, { name: method.name, timeoutMs, deadline, code });
  }
}

/** The same for what a plugin need not serve, advertised or not: undefined then. */
export async function askOptional<I extends DescMessage, O extends DescMessage>(
  callee: Callee,
  method: DescMethodUnary<I, O>,
  options: AskOptions<I>,
): Promise<MessageShape<O> | undefined> {
  try {
    return await ask(callee, method, options);
  } catch (error) {
    if (error instanceof WfctlError && isUnimplemented(error.cause)) return undefined;
    throw error;
  }
}
