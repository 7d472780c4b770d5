import type {
  ActionKind,
  DesiredResource,
  FieldChange,
  ImportRequest,
  JsonObject,
  ReplaceMode,
  ResourceRecord,
} from "@wfctl/model";
import { sendWithRetries } from "../apply/dispatch.ts";
import type { CallOptions, Provider } from "../ports/index.ts";
import type { SecretSet } from "../report/redact.ts";
import type { PlanInput } from "./plan-input.ts";
import type { OutputSource, ResolvedConfig } from "./resolve.ts";

/** What the planner makes of one wanted resource. */
export interface Decision {
  readonly kind: ActionKind | "none";
  readonly changes: readonly FieldChange[];
  readonly reasons: readonly string[];
  readonly sizing?: JsonObject | undefined;
  readonly unknown: readonly string[];
  /** Pointers of values that are not certain before other actions, with the reference. */
  readonly waits: ResolvedConfig["unknown"];
  readonly replaceMode?: ReplaceMode | undefined;
  readonly force?: boolean;
  readonly importId?: string;
  readonly config?: JsonObject;
  /** The record as it would stand without any call: written at the start of the run where it differs. */
  readonly settle?: ResourceRecord;
  /** What consumers see of its outputs. */
  readonly outputs: OutputSource;
  /** References that will not get a value by waiting. */
  readonly missing: ResolvedConfig["missing"];
}

export type DecisionBase = Pick<Decision, "sizing" | "unknown" | "waits" | "missing">;

export interface DecideContext {
  readonly input: PlanInput;
  readonly source: (name: string) => OutputSource;
  readonly provider: Provider;
  readonly record: ResourceRecord | undefined;
  /** The object that is to be recorded as the resource, where the configuration names one. */
  readonly importing?: ImportRequest | undefined;
  /** The record of another resource that has this object already. */
  readonly holderOf: (resource: DesiredResource, providerId: string) => ResourceRecord | undefined;
  readonly sizing: (
    provider: Provider,
    resource: DesiredResource,
  ) => Promise<JsonObject | undefined> | JsonObject | undefined;
  /** What must not be shown: grows with each resource that is decided. */
  readonly secrets: SecretSet;
  /** Bounds the calls that planning has open at once. */
  readonly call: <T>(work: () => Promise<T>) => Promise<T>;
}

/** `config` is what would be sent, as far as it is known: a rename is recognised by it. */
export function createDecision(base: DecisionBase, reasons: readonly string[], config?: JsonObject): Decision {
  return {
    ...base,
    kind: "create",
    changes: [],
    reasons,
    ...(config === undefined ? {} : { config }),
    outputs: { record: undefined, known: "unknown" },
  };
}

/** A question to a provider, asked again after throttling and passing faults for at most two minutes. */
export function ask<T>(
  input: Pick<PlanInput, "clock" | "random" | "signal" | "runId">,
  resource: Pick<DesiredResource, "timeouts">,
  send: (options: CallOptions) => Promise<T>,
): Promise<T> {
  const signal = input.signal ?? new AbortController().signal;
  const options = { timeoutMs: resource.timeouts.read ?? 120_000, run: input.runId, signal };
  return sendWithRetries(
    () => send(options),
    { repeatable: true, asksOnly: true, maxAttempts: 6, deadlineAt: input.clock.now() + 120_000 },
    { clock: input.clock, random: input.random, signal, stopped: () => signal.aborted },
  );
}
