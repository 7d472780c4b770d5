import type { ResourceRecord } from "@wfctl/model";

/** Names of the resources whose records refer to each resource. */
export function recordedDependents(
  records: ReadonlyMap<string, ResourceRecord>,
): ReadonlyMap<string, readonly string[]> {
  const dependents = new Map<string, string[]>();
  for (const record of records.values()) {
    for (const dependency of record.dependencies) {
      const list = dependents.get(dependency);
      if (list === undefined) dependents.set(dependency, [record.name]);
      else list.push(record.name);
    }
  }
  return dependents;
}
