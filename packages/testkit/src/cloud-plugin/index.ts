import { fileURLToPath } from "node:url";

/** Plugin directory (`WFCTL_PLUGIN_DIR`) of the test plugins: `cloud`, `upstreamlike`, and both with `-finalizer`. */
export const testPluginDir = fileURLToPath(new URL("../../plugins", import.meta.url));

export { openDiskCloud, type DiskCloud, type StoredCall, type StoredEffect } from "./disk-cloud.ts";
export { hasReached, releaseHold, writeFaults, type PluginFault } from "./fault-script.ts";
export type { CloudConfig } from "./perform-call.ts";
export type { PluginCall, StoredObject } from "./stored-object.ts";
