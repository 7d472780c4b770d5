import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  ext,
  extServiceNames,
  handshake,
  iac,
  jsonToBytes,
  plugin,
  pluginEnvironment,
  strippedEnvironment,
} from "@wfctl/contract";
import type { InstalledPlugin } from "@wfctl/plugin-host";
import type { ConformanceConfig } from "../config/conformance-config.ts";
import { NotApplicable, Skip } from "../scenario.ts";
import { call, responseOf } from "./call.ts";
import { startProcess, startRawPlugin, type RawPlugin, type StartedProcess } from "./raw-plugin.ts";

/** A loaded and configured process. */
export interface Session {
  readonly plugin: RawPlugin;
  /** Full names of what the registry lists as services. */
  readonly services: ReadonlySet<string>;
  /** By type; empty where the plugin does not serve schemas. */
  readonly types: ReadonlyMap<string, ext.ResourceType>;
  readonly clientTokens: boolean;
}

/** The plugin under test. */
export interface Subject {
  readonly installed: InstalledPlugin;
  readonly config: ConformanceConfig;
  /** Folder of this run. */
  readonly tmp: string;
  /** A word that no other run has. */
  readonly run: string;
  /** Environment of the host, less what misleads a plugin, with what a host adds. */
  environment(extra?: Readonly<Record<string, string>>): Record<string, string>;
  /** A process that has printed its handshake and knows nothing yet. The caller ends it. */
  start(extra?: Readonly<Record<string, string>>): Promise<RawPlugin>;
  /** A process of which nothing is expected. The caller kills it. */
  startUnchecked(env: Readonly<Record<string, string>>): StartedProcess;
  /** A process of its own, configured. The caller ends it. */
  startSession(): Promise<Session>;
  /** The shared process, configured; started when it is not there. Throws a `Skip` where it cannot be had. */
  session(): Promise<Session>;
  /** A name for an object that no one has. */
  freshName(pattern: string): string;
  /** A client token that no one has. */
  freshToken(): string;
  /** Every process that was started, with all that it printed. */
  readonly processes: readonly RawPlugin[];
  close(): Promise<void>;
}

const startTimeoutMs = handshake.startTimeoutMs;
const ownKeys = ["WFCTL_KEY", "WFCTL_KEY_FILE", "WFCTL_PASSPHRASE", "WFCTL_NEW_KEY"];

export function createSubject(options: {
  readonly installed: InstalledPlugin;
  readonly config: ConformanceConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly tmp: string;
  readonly run: string;
}): Subject {
  const { installed, config, env, tmp, run } = options;
  const processes: RawPlugin[] = [];
  const sockets = join(tmp, "s");
  mkdirSync(sockets, { recursive: true });
  let shared: Promise<Session> | undefined;
  let count = 0;

  const environment = (extra: Readonly<Record<string, string>> = {}): Record<string, string> => {
    const inherited = Object.entries(env).filter(
      ([name, value]) => value !== undefined && ![...strippedEnvironment, ...ownKeys].includes(name),
    );
    return {
      ...(Object.fromEntries(inherited) as Record<string, string>),
      ...pluginEnvironment,
      PLUGIN_UNIX_SOCKET_DIR: sockets,
      WFCTL_NODE: process.execPath,
      ...extra,
    };
  };
  const place = { executable: installed.executable, directory: installed.directory };
  const start = async (extra?: Readonly<Record<string, string>>): Promise<RawPlugin> => {
    const started = await startRawPlugin({ ...place, env: environment(extra), startTimeoutMs });
    processes.push(started);
    return started;
  };
  const startSession = async (): Promise<Session> => {
    const started = await start();
    try {
      return await openSession(started, config);
    } catch (error) {
      await started.end();
      throw error;
    }
  };
  return {
    installed,
    config,
    tmp,
    run,
    environment,
    start,
    startUnchecked: (exact) => startProcess({ ...place, env: exact }),
    startSession,
    async session() {
      const existing = await shared?.catch(() => undefined);
      if (existing !== undefined && existing.plugin.exit === undefined) return existing;
      shared = startSession();
      try {
        return await shared;
      } catch (error) {
        throw new Skip(`no configured plugin to try it on: ${(error as Error).message}`);
      }
    },
    freshName(pattern) {
      const [prefix, end = ""] = pattern.split("*");
      return `${prefix}-${run}-${(count += 1)}${end}`;
    },
    freshToken: () => `${run}-token-${(count += 1)}`,
    processes,
    async close() {
      await Promise.all(processes.map((started) => started.end()));
    },
  };
}

/** As a host does it: registry, then the configuration. */
async function openSession(started: RawPlugin, config: ConformanceConfig): Promise<Session> {
  const registry = responseOf(
    "GetContractRegistry",
    await call(started, plugin.PluginService.method.getContractRegistry, {}),
  );
  const services = new Set(
    registry.contracts.filter(({ kind }) => kind === plugin.ContractKind.SERVICE).map(({ serviceName }) => serviceName),
  );
  responseOf(
    "Initialize",
    await call(
      started,
      iac.IaCProviderRequired.method.initialize,
      { configJson: jsonToBytes(config.provider) },
      { timeoutMs: 120_000 },
    ),
  );
  const schemas = services.has(extServiceNames.ResourceSchemas)
    ? await call(started, ext.ResourceSchemas.method.listResourceTypes, {})
    : undefined;
  const listed = schemas?.ok === true ? schemas.response : undefined;
  return {
    plugin: started,
    services,
    types: new Map((listed?.types ?? []).map((type) => [type.type, type])),
    clientTokens: listed?.provider?.clientTokens ?? false,
  };
}

/** Throws a `Skip` unless the plugin advertises the service, a `NotApplicable` where it need not. */
export function requireService(session: Session, name: string, need: "needed" | "optional" = "needed"): void {
  if (session.services.has(name)) return;
  const reason = `the plugin does not advertise ${name}`;
  throw need === "needed" ? new Skip(reason) : new NotApplicable(reason);
}
