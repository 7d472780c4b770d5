import type { DesiredResource, Diagnostic, RecordChange, ResourceRecord } from "@wfctl/model";

/** Records under their new names: `moved` entries whose old name is recorded and whose new one is not. */
export function applyMoves(
  records: ReadonlyMap<string, ResourceRecord>,
  moved: readonly { readonly from: string; readonly to: string }[],
  desired: readonly DesiredResource[],
  unknown: { readonly has: (name: string) => boolean } = new Set<string>(),
): {
  readonly records: ReadonlyMap<string, ResourceRecord>;
  readonly changes: RecordChange[];
  readonly diagnostics: Diagnostic[];
} {
  const wanted = new Set(desired.map((resource) => resource.name));
  const renamed = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];
  for (const { from, to } of moved) {
    if (unknown.has(from)) {
      diagnostics.push({
        severity: "error",
        code: "CONFIG_INVALID",
        address: from,
        summary: `Cannot move "${from}" to "${to}": what became of its last call is not known`,
        hint: `Settle it first with "wfctl state resolve ${from}"`,
      });
      continue;
    }
    if (!records.has(from)) continue;
    if (records.has(to) || wanted.has(from)) {
      diagnostics.push({
        severity: "error",
        code: "CONFIG_INVALID",
        address: from,
        summary: `Cannot move "${from}" to "${to}": ${records.has(to) ? `"${to}" is recorded already` : `"${from}" is still in the configuration`}`,
        hint: 'Remove the "moved" entry, or the resource that stands in its way',
      });
      continue;
    }
    renamed.set(from, to);
  }
  if (renamed.size === 0) return { records, changes: [], diagnostics };
  const result = new Map<string, ResourceRecord>();
  const changes: RecordChange[] = [];
  for (const record of records.values()) {
    const name = renamed.get(record.name) ?? record.name;
    const dependencies = record.dependencies.map((dependency) => renamed.get(dependency) ?? dependency);
    const touched =
      name !== record.name || dependencies.some((dependency, index) => dependency !== record.dependencies[index]);
    const moved: ResourceRecord = touched ? { ...record, name, dependencies } : record;
    result.set(name, moved);
    if (name !== record.name) changes.push({ remove: record.name });
    if (touched) changes.push({ put: moved });
  }
  return { records: result, changes, diagnostics };
}
