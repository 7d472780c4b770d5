export type Version = readonly [major: number, minor: number, patch: number];

const versionPattern = /^v?(\d+)\.(\d+)\.(\d+)$/;
const constraintPattern = /^(?:>=|<=|!=|>|<|\^|~|=)?\s*v?\d+(?:\.\d+){0,2}$/;

/** Reads `MAJOR.MINOR.PATCH` with an optional leading `v`; undefined for anything else, pre-releases included. */
export function parseVersion(text: string): Version | undefined {
  const match = versionPattern.exec(text);
  if (match === null) return undefined;
  return [Number(match[1]), Number(match[2]), Number(match[3])];
}

/** Negative where `a` is older than `b`, 0 where they are equal, positive where it is newer. */
export function compareVersions(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** True for a version with one of upstream's operators (`>= <= != > < ^ ~ =`) before it, or none. */
export function isVersionConstraint(text: string): boolean {
  return constraintPattern.test(text.trim());
}
