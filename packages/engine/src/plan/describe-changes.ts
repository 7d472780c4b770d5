import { pathToPointer, type FieldChange, type ResourceRecord } from "@wfctl/model";
import type { DiffReply, LiveObject } from "../ports/index.ts";
import type { SecretSet } from "../report/redact.ts";
import { isIgnored } from "./ignore-changes.ts";
import { isPlaceholder } from "./record-live.ts";
import { looksSecret, type ResolvedConfig } from "./resolve.ts";

/**
 * What a Diff found, less what is ignored. Values at secret places are left out; those that repeat a secret are left to
 * `hideSecrets`, once `secrets` has those of all resources: what this one has of them is added.
 */
export function describeChanges(
  reply: DiffReply,
  resolved: ResolvedConfig,
  ignored: readonly string[] | undefined,
  secrets: SecretSet,
  record: ResourceRecord | undefined,
  live: Pick<LiveObject, "outputs" | "sensitive">,
): FieldChange[] {
  if (reply.changes.length === 0) return [];
  const waiting = [...resolved.unknown.keys(), ...resolved.mayChange.keys()].map(pointerToDotted);
  const secretPaths = [
    ...[...resolved.sensitive, ...(record?.sensitiveInputs ?? [])].map(pointerToDotted),
    ...(record?.sensitiveOutputs ?? []),
    ...live.sensitive,
  ];
  secrets.add(resolved.config, resolved.sensitive);
  secrets.add(
    live.outputs,
    live.sensitive.map((key) => pathToPointer([key])),
  );
  const isSecret = (change: FieldChange): boolean =>
    change.sensitive === true ||
    // An object may still hold, under such a name, what neither configuration nor record knows any more.
    looksSecret(change.path.split(".").at(-1) ?? "") ||
    isPlaceholder(change.old) ||
    under(change.path, secretPaths);
  return reply.changes
    .filter((change) => !isIgnored(change.path, ignored))
    .map((change): FieldChange => {
      const hidden = isSecret(change);
      return {
        path: change.path,
        ...(change.old === undefined || hidden ? {} : { old: change.old }),
        ...(change.new === undefined || hidden ? {} : { new: change.new }),
        forceNew: change.forceNew,
        ...(hidden ? { sensitive: true } : {}),
        ...(under(change.path, waiting) ? { unknown: true } : {}),
      };
    });
}

/** The changes without values that repeat a secret of any resource of the stack. */
export function hideSecrets(changes: readonly FieldChange[], secrets: SecretSet): readonly FieldChange[] {
  const repeats = ({ old, new: next }: FieldChange): boolean =>
    [old, next].some((value) => value !== undefined && secrets.occursIn(value));
  if (!changes.some(repeats)) return changes;
  return changes.map((change): FieldChange => {
    if (!repeats(change)) return change;
    const { old: _old, new: _new, ...rest } = change;
    return { ...rest, sensitive: true };
  });
}

/** True where the path is one of the roots, below one, or above one. */
function under(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => path === root || path.startsWith(`${root}.`) || root.startsWith(`${path}.`));
}

export function pointerToDotted(pointer: string): string {
  return pointer.slice(1).replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~");
}
