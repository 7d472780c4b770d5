import {
  jsonEqual,
  type Json,
  type JsonObject,
  type PlanAction,
  type PlanNote,
  type ResourceRecord,
} from "@wfctl/model";
import { withoutReserved } from "./reserved-keys.ts";

/** A delete and a create of equal type and configuration look like a rename: say which line would keep the object. */
export function renameNotes(
  drafts: readonly Pick<PlanAction, "kind" | "name" | "type" | "desired" | "deposed">[],
  records: ReadonlyMap<string, ResourceRecord>,
  /** What would be sent for a resource that is created, references resolved as far as they are known. */
  configOf: (name: string) => JsonObject | undefined,
): PlanNote[] {
  const gone = drafts.filter((draft) => draft.kind === "delete" && draft.deposed === undefined);
  if (gone.length === 0) return [];
  const notes: PlanNote[] = [];
  const taken = new Set<string>();
  for (const draft of drafts) {
    if (draft.kind !== "create" || draft.desired === undefined) continue;
    const wanted = comparable(configOf(draft.name) ?? (draft.desired.config as JsonObject));
    const match = gone.find((old) => {
      const inputs = records.get(old.name)?.inputs;
      return (
        old.type === draft.type && !taken.has(old.name) && inputs !== undefined && jsonEqual(comparable(inputs), wanted)
      );
    });
    if (match === undefined) continue;
    taken.add(match.name);
    notes.push({
      name: draft.name,
      code: "RENAME",
      text: `"${match.name}" is deleted and "${draft.name}" created with the same configuration. If this is a rename, add to the stack file: moved: [{from: ${match.name}, to: ${draft.name}}]`,
    });
  }
  return notes;
}

function comparable(config: JsonObject): Json {
  const { name: _name, ...rest } = withoutReserved(config);
  return rest;
}
