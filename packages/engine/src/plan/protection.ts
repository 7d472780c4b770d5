import type { Diagnostic, PlanAction, ResourceRecord } from "@wfctl/model";

/**
 * The one check before any delete call. True where the object may not be deleted by this run.
 * Protection counts from the record as well as from the configuration, so that removing both at once does not lift it.
 */
export function isProtected(
  record: Pick<ResourceRecord, "protected"> | undefined,
  desired: { readonly protected: boolean } | undefined,
): boolean {
  return record?.protected === true || desired?.protected === true;
}

/** All blocked actions of a plan at once, with one flag to paste. */
export function protectionDiagnostics(blocked: readonly Pick<PlanAction, "name" | "kind">[]): Diagnostic[] {
  if (blocked.length === 0) return [];
  const flag = `--allow-replace=${blocked.map((action) => action.name).join(",")}`;
  return blocked.map((action) => ({
    severity: "error",
    code: "PROTECTED",
    address: action.name,
    summary: `Cannot ${action.kind} "${action.name}": it is protected`,
    hint: `Set "protected: false" and apply that first, or lift it for this run with ${flag}`,
  }));
}
