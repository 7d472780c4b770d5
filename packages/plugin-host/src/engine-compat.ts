/**
 * The release of the upstream engine whose plugin contract this host implements, in upstream's numbering.
 * A plugin's `minEngineVersion` is compared with it, never with the version of our own packages. Printed by `wfctl version`.
 */
export const engineCompatVersion = "0.86.0";

/** The only value of `compute_plan_version` that this host drives. */
export const computePlanVersion = "v2";
