import { pathToPointer } from "@wfctl/model";
import type {
  DesiredResource,
  Intent,
  JournalEvent,
  JsonObject,
  NodeHalf,
  Operation,
  PlanAction,
  ResourceRecord,
  Timeouts,
} from "@wfctl/model";
import { sensitivePointersOf, toSpec, type ResolvedConfig } from "../plan/resolve.ts";
import type { CallOptions, Provider, Spec } from "../ports/index.ts";
import { recordToBe, unsure } from "./records.ts";
import type { Run } from "./run.ts";

/** The scheduler's slot of a node. */
export interface Slot {
  /** Only waiting goes on: the slot may serve another call meanwhile. */
  readonly waiting: (isWaiting: boolean) => void;
  /** The rank of the node may change while its call is open. @default it stays */
  readonly watchPriority?: NonNullable<CallOptions["watchPriority"]>;
}

/** The place of a node's calls where calls must queue. */
export function rankOf({
  priority,
  slot,
}: Pick<Call, "priority" | "slot">): Pick<CallOptions, "priority" | "watchPriority"> {
  return { priority, ...(slot.watchPriority === undefined ? {} : { watchPriority: slot.watchPriority }) };
}

/** One call that changes something, before it is sent. */
export interface Call {
  readonly operation: Operation;
  readonly half: NodeHalf;
  readonly provider: Provider;
  readonly action: PlanAction;
  readonly type: string;
  /** @default "apply" */
  readonly phase?: Intent["phase"];
  readonly providerId?: string;
  /** Input of create and update. */
  readonly write?: Write;
  readonly timeouts?: Timeouts | undefined;
  readonly before?: ResourceRecord;
  readonly liveInputs?: JsonObject;
  readonly priorRead?: Intent["priorRead"];
  readonly deposed?: string;
  readonly markDirty?: string;
  readonly priority: number;
  readonly slot: Slot;
}

/** What a create or update sends, and the record that stands when it is confirmed. */
export interface Write {
  readonly spec: Spec;
  /** JSON pointers into the spec's config. */
  readonly sensitive: readonly string[];
  readonly after: NonNullable<Intent["after"]>;
}

/** The write that brings a resource to what the configuration wants. */
export function writeOf(
  run: Run,
  provider: Provider,
  desired: DesiredResource,
  resolved: ResolvedConfig,
  before: ResourceRecord | undefined,
): Write {
  return {
    spec: toSpec(desired, resolved.config),
    sensitive: resolved.sensitive,
    after: recordToBe(run, provider, desired, resolved, before),
  };
}

/** How long the call may take, retries included, in milliseconds. */
export function timeoutOf(call: Call): number {
  const traits = call.provider.traits(call.type);
  return call.timeouts?.[call.operation] ?? traits?.timeouts?.[call.operation] ?? 1_800_000;
}

/** Live inputs may hold secrets that neither the configuration nor the record names any more. */
function secretsOfLive(run: Run, call: Call): string[] {
  const { liveInputs } = call;
  if (liveInputs === undefined) return [];
  const repeated = Object.keys(liveInputs).filter((key) => run.secrets.occursIn(liveInputs[key] ?? null));
  const named = sensitivePointersOf(liveInputs, call.provider.traits(call.type));
  return [...named, ...repeated.map((key) => pathToPointer([key]))];
}

export function createIntent(
  run: Run,
  call: Call,
  sending: { readonly clientToken: string; readonly attempt: number; readonly deadlineMs: number },
): Intent {
  const after = call.operation === "delete" ? undefined : call.write?.after;
  return {
    run: run.id,
    action: call.action.index,
    half: call.half,
    phase: call.phase ?? "apply",
    operation: call.operation,
    name: call.action.name,
    type: call.type,
    provider: call.provider.module,
    providerName: call.provider.name,
    providerVersion: call.provider.version,
    ...(call.provider.identity === undefined ? {} : { providerIdentity: call.provider.identity }),
    ...(call.write === undefined ? {} : { inputs: call.write.spec.config }),
    sensitiveInputs: [...new Set([...(call.write?.sensitive ?? []), ...secretsOfLive(run, call)])],
    ...(call.write?.spec.size === undefined ? {} : { size: call.write.spec.size }),
    ...(call.write?.spec.hints === undefined ? {} : { hints: call.write.spec.hints }),
    ...(call.providerId === undefined ? {} : { providerId: call.providerId }),
    ...(call.before === undefined ? {} : { before: call.before }),
    ...(call.liveInputs === undefined ? {} : { liveInputs: call.liveInputs }),
    ...(after === undefined ? {} : { after }),
    clientToken: sending.clientToken,
    attempt: sending.attempt,
    sentAt: new Date(run.deps.clock.now()).toISOString(),
    deadlineAt: new Date(sending.deadlineMs).toISOString(),
    ...(call.priorRead === undefined ? {} : { priorRead: call.priorRead }),
    ...(call.deposed === undefined ? {} : { deposed: call.deposed }),
  };
}

/** The intent with what its transaction has to hold besides: the finalizer's debt, and the record as no longer to be trusted. */
export function intentEvents(run: Run, call: Call, intent: Intent): JournalEvent[] {
  const events: JournalEvent[] = [];
  // Deletes of the clean-up and of an undo come after the finalizers, and leave nothing to be finished.
  const isLateDelete = call.operation === "delete" && (run.finalizersCalled || call.phase === "undo");
  if (call.provider.features.finalizer && !isLateDelete && !run.finalizeOwed.has(call.provider.module)) {
    run.finalizeOwed.add(call.provider.module);
    events.push({ kind: "finalize-owed", run: run.id, provider: call.provider.module });
  }
  if (call.before !== undefined && call.markDirty !== undefined) {
    const both = call.write === undefined ? {} : unsure(call.write.after, call.before);
    const record: ResourceRecord = { ...call.before, ...both, mark: "dirty", markReason: call.markDirty };
    run.records.set(record.name, record);
    events.push({ kind: "intent", intent, record });
  } else {
    events.push({ kind: "intent", intent });
  }
  return events;
}
