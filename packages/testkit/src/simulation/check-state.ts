import { canonicalJson, type JournalEvent, type Json, type StackState } from "@wfctl/model";
import { applyCommit, createDraft, sealEvent, toStackState, type Sealer } from "@wfctl/state";
import type { CloudObject } from "../cloud/cloud-object.ts";
import type { TestStack } from "../stack/test-stack.ts";
import { secretPattern } from "./world.ts";

/** Puts something harmless in the place of each value that a store would encrypt. */
const dummySealer: Sealer = {
  seal: () => ({ $sealed: "v1.sim.sealed" }),
  open: () => null,
};

/** Rules that hold whenever no command runs and nothing is on its way in the cloud any more. */
export function checkState(
  stack: TestStack,
  state: StackState,
  others: {
    /** Objects that may be gone although the state names them. */
    readonly gone: ReadonlySet<string>;
    /** Objects that other people made. */
    readonly theirs: { has(id: string): boolean };
  },
): string[] {
  return [...checkReplay(stack, state), ...checkOutcomes(stack), ...checkObjects(stack, state, others)];
}

/** The journal, read from its beginning, gives the state. */
function checkReplay(stack: TestStack, state: StackState): string[] {
  const draft = createDraft(state.lineage);
  for (const events of stack.disk.commits) applyCommit(draft, events);
  const replayed = toStackState(draft);
  const text = (of: StackState): string =>
    canonicalJson([of.serial, [...of.records], [...of.unknown], of.finalizeOwed, of.hooksOwed] as unknown as Json);
  return text(replayed) === text(state) ? [] : ["the replayed journal is not the state"];
}

/** Closed runs have one outcome for each of their actions. */
function checkOutcomes(stack: TestStack): string[] {
  const broken: string[] = [];
  for (const run of stack.disk.draft.history?.values() ?? []) {
    const missing = run.header.actions.filter((action) => !run.outcomes.has(action.index));
    if (missing.length > 0)
      broken.push(
        `${run.header.id} was closed without outcomes for ${missing.map((action) => action.name).join(", ")}`,
      );
    if (run.open.size > 0 && run.closed?.end === "succeeded")
      broken.push(`${run.header.id} succeeded with open intents`);
  }
  return broken;
}

/** Cloud and state hold the same objects; at most one of each resource, but for what is deposed or unknown. */
function checkObjects(
  stack: TestStack,
  state: StackState,
  { gone, theirs }: Parameters<typeof checkState>[2],
): string[] {
  const broken: string[] = [];
  const known = new Map<string, string>();
  for (const record of state.records.values()) {
    known.set(record.providerId, record.name);
    for (const old of record.deposed) known.set(old.providerId, record.name);
  }
  const strays = new Map<string, CloudObject[]>();
  const live = new Set<string>();
  for (const object of stack.cloud.objects()) {
    live.add(object.id);
    if (known.get(object.id) === object.name || theirs.has(object.id)) continue;
    const list = strays.get(object.name) ?? [];
    strays.set(object.name, [...list, object]);
  }
  for (const [name, objects] of strays) {
    const ids = objects.map((object) => object.id).join(", ");
    if (!state.unknown.has(name)) broken.push(`${name} (${ids}) is in the cloud and in no record`);
    else if (objects.length > 1) broken.push(`${name} has ${objects.length} objects that no record knows: ${ids}`);
  }
  for (const [id, name] of known) {
    const record = state.records.get(name);
    // Of a delete that nothing confirmed an old object may stay in the list: the next run looks for it.
    const isOld = record?.providerId !== id && wasDeleted(stack, id);
    const excused = live.has(id) || gone.has(id) || state.unknown.has(name) || record?.mark !== undefined || isOld;
    if (!excused) broken.push(`${name} is recorded as ${id}, which is not in the cloud`);
  }
  return broken;
}

function wasDeleted({ cloud }: TestStack, id: string): boolean {
  return cloud.log.some((effect) => effect.kind === "deleted" && effect.id === id);
}

/** No secret in what is stored once values are sealed, nor in what is told. */
export function checkSecrets(events: readonly JournalEvent[], told: readonly unknown[]): string[] {
  const broken: string[] = [];
  for (const event of events) {
    const stored = JSON.stringify(sealEvent(event, dummySealer));
    const found = secretPattern.exec(stored);
    if (found !== null) {
      broken.push(
        `a secret is stored in clear in an event '${event.kind}': ${stored.slice(Math.max(0, found.index - 80), found.index + 40)}`,
      );
      break;
    }
  }
  const text = JSON.stringify(told);
  const found = secretPattern.exec(text);
  if (found !== null) broken.push(`a secret is told: ${text.slice(Math.max(0, found.index - 120), found.index + 40)}`);
  return broken;
}
