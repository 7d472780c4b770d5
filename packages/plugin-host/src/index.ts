// Nothing here loads gRPC before a plugin is started: `wfctl version` and validation stay fast.
export { pluginFingerprint } from "./fingerprint.ts";
export { defaultPluginDir, listPlugins, pluginDirectory } from "./discovery.ts";
export type { DiscoveryOptions, InstalledPlugin, PluginListing, SearchedDirectory } from "./discovery.ts";
export { computePlanVersion, engineCompatVersion } from "./engine-compat.ts";
export { checkManifestGate, upgradeHint } from "./gate.ts";
export { parseHandshake, type HandshakeResult, type PluginAddress } from "./handshake.ts";
export { killLeftoverPlugins, type LeftoverReport } from "./leftover.ts";
export { findPlugin, servedProvider, type FoundPlugin } from "./lookup.ts";
export { parseManifest, type ManifestViolation, type ParsedManifest, type PluginManifest } from "./manifest.ts";
export type {
  HostOptions,
  HostTimeouts,
  PluginProvider,
  PoolOptions,
  ProviderDescription,
  ProviderOptions,
  ProviderPool,
} from "./options.ts";
export { readMachineIdentity, readStartTime, type MachineIdentity } from "./process-identity.ts";
export { createPluginProvider, createProviderPool } from "./pool.ts";
