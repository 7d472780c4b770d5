import type { ActionKind, FieldChange, ReplaceMode, ResourceRecord, Reversibility } from "@wfctl/model";
import type { ProviderFeatures, TypeTraits } from "../ports/index.ts";

/** Whether and how an action could be undone after it succeeded: what the plan says beforehand. */
export function reversibilityOf(action: {
  readonly kind: ActionKind;
  readonly replaceMode?: ReplaceMode | undefined;
  readonly changes: readonly FieldChange[];
  readonly prior: ResourceRecord | undefined;
  readonly traits: TypeTraits | undefined;
  readonly features: ProviderFeatures | undefined;
}): Reversibility {
  switch (action.kind) {
    case "create":
      return { undo: "yes", how: "delete it, confirmed by a read" };
    case "adopt":
    case "import":
      if (action.changes.length === 0) return { undo: "yes", how: "forget it" };
      if (action.features?.readsInputs !== true)
        return { undo: "unknown", why: "the inputs that the object has now may not be read back" };
      return { undo: "yes", how: "update to the inputs it has now, and forget it" };
    case "forget":
    case "read":
      return { undo: "yes", how: "restore the record" };
    case "delete":
      return { undo: "no", why: "a deleted object does not come back" };
    case "replace":
      // Beside the old object no read tells whether another of its name was there: only the plugin says so.
      if (action.replaceMode === "create-first" && action.features?.clientTokens !== true)
        return { undo: "unknown", why: "an undo leaves the new object, which may not be proven to be this run's" };
      if (action.replaceMode === "create-first")
        return { undo: "yes", how: "delete the new object, keep the old one; until clean-up starts" };
      return { undo: "no", why: "the old object is deleted before the new one is created" };
    case "update": {
      if (action.prior?.inputs === undefined) return { undo: "no", why: "no earlier input is recorded" };
      if (action.traits?.reversibleUpdate === false)
        return { undo: "no", why: `updates of ${action.prior.type} cannot be undone` };
      const writeOnly = action.traits?.writeOnly ?? [];
      const lost = action.changes.find((change) =>
        writeOnly.some((path) => change.path === path || change.path.startsWith(`${path}.`)),
      );
      if (lost !== undefined) return { undo: "no", why: `${lost.path} can be written but not read back` };
      return { undo: "yes", how: "update to the inputs before" };
    }
  }
}
