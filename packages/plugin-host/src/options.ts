import type { CallOptions, Clock, Provider, Ref } from "@wfctl/engine";
import type { JsonObject, PluginProcess, ProviderModule } from "@wfctl/model";

import type { DiscoveryOptions } from "./discovery.ts";
import type { FoundPlugin } from "./lookup.ts";

/** Bounds of every wait, in milliseconds. */
export interface HostTimeouts {
  /** From launch to the handshake line. @default 60000 */
  readonly startMs?: number;
  /** Each call of the load sequence but the two below. @default 10000 */
  readonly loadCallMs?: number;
  /** `Capabilities`. @default 10000 */
  readonly capabilitiesMs?: number;
  /** `Initialize`: the provider may ask its cloud who it is. @default 120000 */
  readonly initializeMs?: number;
  /** From Shutdown to SIGKILL. @default 2000 */
  readonly exitMs?: number;
  /** How long the host waits for a start or an answer of the load sequence before `onWaiting` is told. @default 5000 */
  readonly noticeMs?: number;
}

export interface HostOptions extends DiscoveryOptions {
  /** Receives what plugins print on stderr, one prefixed line each, and the host's warnings. Secrets of the configuration are hidden. */
  readonly log?: (line: string) => void;
  /** Receives one line for each wait that has lasted `noticeMs`: the plugin, what it has not done yet, its bound. */
  readonly onWaiting?: (line: string) => void;
  /** Awaited after a plugin process is loaded and before it is given a configuration: the place to journal it. */
  readonly onProcess?: (process: PluginProcess, module: string) => Promise<void>;
  /**
   * Awaited before each launch of a plugin, after its manifest has passed: a further gate, such as a lock file.
   * What it throws is why the plugin is not started.
   */
  readonly admit?: (found: FoundPlugin) => Promise<void>;
  readonly timeouts?: HostTimeouts;
  /** Time for the waits between restarts. @default real time */
  readonly clock?: Clock;
  /** Longest reply that is read, in bytes. @default 268435456 */
  readonly maxReplyBytes?: number;
}

/** An object as an enumerator lists it. */
export interface ListedRef extends Ref {
  /** What its outputs say of tags: words, or `KEY=VALUE`. Empty where the list tells none. */
  readonly tags: readonly string[];
}

/** A provider of the engine with the process behind it. */
export interface PluginProvider extends Provider, AsyncDisposable {
  /** Key by key, for people: account, region, endpoint. Empty where the plugin does not say. */
  readonly identityLabels: Readonly<Record<string, string>>;
  /** The identity follows from the configuration alone, so that it may be remembered. */
  readonly stableIdentity: boolean;
  /** Resource types that the plugin names; empty where it names none. */
  readonly resourceTypes: readonly string[];
  /** JSON Schema of the provider module's configuration, where the plugin gives it. */
  readonly configSchema: JsonObject | undefined;
  /**
   * Objects that the configuration can reach: all of a type, or all that carry a tag. Undefined where the plugin lists
   * nothing, or nothing of this type. Names are the cloud's.
   */
  listObjects(
    which: { readonly type: string } | { readonly tag: string },
    options: CallOptions,
  ): Promise<readonly ListedRef[] | undefined>;
  /** The process that serves it now, or served it last. */
  readonly process: PluginProcess;
  /** Shutdown, at most `exitMs` of waiting, SIGKILL. Idempotent; later calls to the provider fail. */
  shutdown(): Promise<void>;
  /** SIGKILL to the process group, at once. */
  kill(): void;
}

export interface ProviderOptions extends HostOptions {
  /** Name of the `iac.provider` module. */
  readonly module: string;
  /** Provider name as plugins advertise it, such as `aws`. */
  readonly provider: string;
  /** Resolved configuration of the module, whole: what `Initialize` receives. */
  readonly config: JsonObject;
  /** Values that must never be printed, beside those that the configuration's keys give away. */
  readonly secrets?: readonly string[];
}

export interface PoolOptions extends HostOptions {
  readonly modules: readonly ProviderModule[];
}

/** What a plugin says of itself before it has a configuration. */
export interface ProviderDescription {
  readonly provider: string;
  readonly plugin: string;
  readonly version: string;
  readonly directory: string;
  readonly resourceTypes: readonly string[];
  readonly configSchema: JsonObject | undefined;
  readonly schemaDigest: string;
  /** As `Provider.traits`. */
  traits: Provider["traits"];
}

/** The providers of one command: one plugin process per module, started when first asked for. */
export interface ProviderPool extends AsyncDisposable {
  /**
   * Starts finding, launching and loading the plugins of these modules (default: all) in the background, with no configuration.
   * Failures come from the `configureProvider` that needs the plugin.
   */
  warmUp(modules?: readonly string[]): void;
  /** Loads the module's plugin without configuring it. Throws as `configureProvider`. */
  describeProvider(module: string): Promise<ProviderDescription>;
  /**
   * The module's provider, ready for calls. With an equal configuration the same provider again; with another one a new
   * process. `provider` is needed only for modules that the pool was not given (an orphan's).
   * Throws a `WfctlError` with one of the `PLUGIN_*` codes.
   */
  configureProvider(
    module: string,
    config: JsonObject,
    options?: { readonly provider?: string; readonly secrets?: readonly string[] },
  ): Promise<PluginProvider>;
  /** The provider that was configured for the module. */
  provider(module: string): PluginProvider | undefined;
  providers(): readonly PluginProvider[];
  /** Processes that may have been given a configuration, the dead ones included: what a run has to journal when it starts. */
  processes(): readonly PluginProcess[];
  /** `Stop(run)` to every provider that has it. Never throws: a provider that cannot be reached has nothing to stop. */
  stopAll(run: string): Promise<void>;
  /** Shutdown of all, in parallel. Also what disposing does. */
  shutdownAll(): Promise<void>;
  /** SIGKILL to all, at once. */
  killAll(): void;
}
