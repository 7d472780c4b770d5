import type { Planned } from "@wfctl/engine";
import { jsonEqual, type Intent, type JsonObject, type Plan, type ResourceRecord } from "@wfctl/model";
import type { RunDraft, StackDraft } from "@wfctl/state";
import type { CloudEffect, CloudObject } from "../cloud/cloud-object.ts";
import type { RecordedCall } from "../provider/fake-provider.ts";
import type { TestStack } from "../stack/test-stack.ts";

/** Watches each call and each effect while a simulation runs, against the rules that hold at every moment. */
export interface Watch {
  /** Rules that were broken, one sentence each. */
  readonly violations: string[];
  /** Objects that other people deleted. */
  readonly deletedOutside: Set<string>;
  /** Objects that were still going when a command was interrupted or ended: its state names them, and rightly so. */
  readonly goingAtEnd: Set<string>;
  /** The user interrupts the command: its drivers stop waiting for what is going and for what begins to go. */
  interrupt(): void;
  endCommand(): void;
  /** Objects that other people made, by id: `existing` ones are never to be written. */
  readonly outside: Map<string, "adopt" | "existing">;
  stack: TestStack | undefined;
  /** Resources that the configuration of the step says to read only. */
  onlyRead: ReadonlySet<string>;
  /** The user has lifted all protection. */
  unprotected: boolean;
  onPlan(planned: Planned): void;
  onCall(call: RecordedCall, module: string): void;
  onEffect(effect: CloudEffect): void;
}

export function createWatch(): Watch {
  const plans = new Map<string, Plan>();
  let interrupted = false;
  const noteGoing = (): void => {
    for (const object of watch.stack?.cloud.objects() ?? [])
      if (object.state === "deleting") watch.goingAtEnd.add(object.id);
  };
  const watch: Watch = {
    violations: [],
    deletedOutside: new Set(),
    goingAtEnd: new Set(),
    interrupt() {
      interrupted = true;
      noteGoing();
    },
    endCommand() {
      interrupted = false;
      noteGoing();
    },
    outside: new Map(),
    stack: undefined,
    onlyRead: new Set(),
    unprotected: false,
    onPlan({ plan }) {
      plans.set(plan.id, plan);
    },
    onCall(call) {
      if (call.operation !== "create" && call.operation !== "update" && call.operation !== "delete") return;
      const { stack } = watch;
      if (stack === undefined) return;
      const found = findIntent(stack, call.options.clientToken ?? "");
      if (found === undefined) {
        watch.violations.push(`${call.operation} of ${call.name} was sent without a durable intent`);
        return;
      }
      watch.violations.push(...checkOrder(found.run, found.intent, plans));
    },
    onEffect(effect) {
      if (effect.external) {
        if (effect.kind === "deleted") watch.deletedOutside.add(effect.id);
        return;
      }
      const { stack } = watch;
      if (stack === undefined) return;
      if (watch.outside.get(effect.id) === "existing" && effect.kind !== "finalized")
        watch.violations.push(`${effect.name} (${effect.id}), which is only to be read, was ${effect.kind}`);
      if (effect.kind === "created" || effect.kind === "updated") {
        watch.violations.push(...checkUsed(stack, effect, watch.deletedOutside));
      }
      if (effect.kind === "deleting" && interrupted) watch.goingAtEnd.add(effect.id);
      if (effect.kind === "deleting") watch.violations.push(...checkDelete(stack, effect, plans, watch));
    },
  };
  return watch;
}

interface InDoubt {
  /** Undefined where the journal has dropped it. */
  readonly run: RunDraft | undefined;
  readonly intent: Intent;
}

/** All intents on the disk that have no end yet. */
function intentsInDoubt(draft: StackDraft): InDoubt[] {
  const found: InDoubt[] = [];
  for (const run of draft.openRuns.values()) {
    for (const intent of run.open.values()) found.push({ run, intent });
    for (const { intent } of run.unknown.values()) found.push({ run, intent });
  }
  for (const { intent } of draft.unknown.values()) found.push({ run: draft.history?.get(intent.run), intent });
  return found;
}

/** The intent that a call belongs to, as it is on the disk. */
function findIntent(stack: TestStack, token: string): InDoubt | undefined {
  return intentsInDoubt(stack.disk.draft).find(({ intent }) => intent.clientToken === token);
}

/** All that the node waits for is durable, and the clean-up was declared before its first call. */
function checkOrder(run: RunDraft | undefined, intent: Intent, plans: ReadonlyMap<string, Plan>): string[] {
  if (run === undefined || intent.phase !== "apply") return [];
  const plan = plans.get(run.header.planId);
  const node = plan?.nodes.find((each) => each.action === intent.action && each.half === intent.half);
  if (plan === undefined || node === undefined) return [`the intent of ${intent.name} belongs to no node of its plan`];
  const broken: string[] = [];
  for (const index of node.after) {
    const before = plan.nodes[index]!;
    const status = run.outcomes.get(before.action)?.status;
    // The last two are what an undo made of a success.
    const done =
      status === "SUCCESS" ||
      status === "COMPENSATED" ||
      status === "COMPENSATION_FAILED" ||
      run.halvesDone.has(`${before.action}:${before.half}`);
    if (!done) {
      const name = plan.actions[before.action]?.name;
      broken.push(
        `${intent.operation} of ${intent.name} was sent before the outcome of ${name} (${before.half}) was durable`,
      );
    }
  }
  if (plan.onFailure !== "continue" && node.cleanup && !run.cleanupStarted)
    broken.push(`${intent.operation} of ${intent.name} was sent in the clean-up before it was declared`);
  return broken;
}

function usedIds(inputs: JsonObject | undefined): string[] {
  return Object.entries(inputs ?? {}).flatMap(([key, value]) =>
    key.startsWith("use_") && typeof value === "string" ? [value] : [],
  );
}

/** An object is made or changed only to use what is there. */
function checkUsed(stack: TestStack, effect: CloudEffect, deletedOutside: ReadonlySet<string>): string[] {
  // A call of an undo may come through late, and find the object as it was to leave it.
  const earlier = stack.cloud.log.findLast(
    (each) => each !== effect && each.id === effect.id && each.inputs !== undefined,
  );
  if (earlier !== undefined && jsonEqual(earlier.inputs ?? {}, effect.inputs ?? {})) return [];
  const live = new Set(stack.cloud.objects().flatMap((object) => (object.state === "deleting" ? [] : [object.id])));
  const undo = intentsInDoubt(stack.disk.draft).find(
    ({ intent }) => intent.phase === "undo" && intent.name === effect.name,
  );
  // An undo gives back what was there before its run, references to nothing included; what the run itself deleted is another matter.
  const excused = (id: string): boolean => {
    if (undo === undefined) return false;
    const target = undo.run?.header.undoes ?? undo.intent.run;
    const { openRuns, history } = stack.disk.draft;
    const sent = (openRuns.get(target) ?? history?.get(target))?.sent.values() ?? [];
    return ![...sent].some((intent) => intent.operation === "delete" && intent.providerId === id);
  };
  return usedIds(effect.inputs)
    .filter((id) => !live.has(id) && !deletedOutside.has(id) && !excused(id))
    .map((id) => `${effect.name} (${effect.id}) was ${effect.kind} to use ${id}, which is not there`);
}

/** An object goes only after what uses it has gone or was changed, but for the old half of a delete-first replace. */
function checkDelete(
  stack: TestStack,
  effect: CloudEffect,
  plans: ReadonlyMap<string, Plan>,
  { unprotected, onlyRead }: Pick<Watch, "unprotected" | "onlyRead">,
): string[] {
  const { draft } = stack.disk;
  const found = intentsInDoubt(draft).find(
    ({ intent }) => intent.operation === "delete" && (intent.deposed ?? intent.providerId) === effect.id,
  );
  if (found === undefined) return [`${effect.name} (${effect.id}) was deleted without an open intent`];
  const { run, intent } = found;
  const broken: string[] = [];
  const record = draft.records.get(effect.name);
  if (!unprotected && record?.protected === true && record.providerId === effect.id && intent.phase === "apply")
    broken.push(`${effect.name} was deleted although it is protected`);
  const action = (run === undefined ? undefined : plans.get(run.header.planId))?.actions[intent.action];
  if (intent.phase === "undo" && run !== undefined && !isMadeBy(stack, run, effect))
    broken.push(`${effect.name} (${effect.id}) was deleted by the undo of ${run.header.id}, which did not make it`);
  if (intent.phase === "apply" && intent.half === "delete" && action?.replaceMode === "delete-first") return broken;
  const users = stack.cloud
    .objects()
    .filter((object) => !isLeftBehind(stack, object) && !(onlyRead.has(object.name) && isHandedOver(stack, object)))
    .filter(
      (object) => object.state !== "deleting" && object.id !== effect.id && usedIds(object.inputs).includes(effect.id),
    );
  for (const user of users)
    broken.push(`${effect.name} (${effect.id}) was deleted while ${user.name} (${user.id}) uses it`);
  return broken;
}

/** The object carries the token of a create of the run, or, where it carries none, is as young as the run. */
function isMadeBy({ cloud }: TestStack, { header, sent }: RunDraft, { id, token }: CloudEffect): boolean {
  if (token !== undefined) return [...sent.values()].some(({ clientToken }) => clientToken === token);
  const made = cloud.log.find((effect) => effect.kind === "created" && effect.id === id);
  return made !== undefined && !made.external && made.atMs >= Date.parse(header.startedAt);
}

/** An object that the stack was told to only read from now on: what it stands on is not for the stack to say. */
function isHandedOver({ disk }: TestStack, { id, name }: Pick<CloudObject, "id" | "name">): boolean {
  const record = disk.draft.records.get(name);
  return record?.providerId === id && isOnlyRead(record);
}

/** The object of the record is not written: others made it, or the stack was told to leave it alone from now on. */
export function isOnlyRead({ retain, createdByUs }: Pick<ResourceRecord, "retain" | "createdByUs">): boolean {
  return retain && !createdByUs;
}

/** An object that the state has forgotten, as it was told to: what becomes of it is not our business any more. */
function isLeftBehind({ disk }: TestStack, { id, name }: Pick<CloudObject, "id" | "name">): boolean {
  for (const record of disk.draft.records.values())
    if (record.providerId === id || record.deposed.some((old) => old.providerId === id)) return false;
  return !intentsInDoubt(disk.draft).some(({ intent }) => intent.name === name);
}
