import type { Json, Outcome, PlanAction, ResourceRecord } from "@wfctl/model";

/** Time as an argument: real in the programs, virtual in tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** A fresh id, unguessable in production, repeatable in simulation. */
  id(): string;
  /** 0 ≤ x < 1. */
  number(): number;
}

/** Keyed digests: HMAC with the stack's key. Equal values give equal digests within one stack only. */
export interface Digester {
  digest(value: Json): string;
}

/** Environment variables that `${NAME}` may read. */
export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

/**
 * Engine API, not wired to the CLI in this round. Hooks run one at a time, in completion order,
 * at least once per (run, action): a kill between effect and hook calls it again.
 */
export interface Hooks {
  /** Only reads. A throw refuses the action: SKIPPED, fatal for the run. */
  onBeforeAction?(action: PlanAction, signal: AbortSignal): Promise<void>;
  /** After create, update, replace, adopt: the record is durable. A throw is fatal; a created object is deleted again. */
  onResourceApplied?(run: string, action: number, record: ResourceRecord): Promise<void>;
  onResourceDeleted?(run: string, action: number, name: string): Promise<void>;
  /** After the outcome is durable. A throw changes nothing. */
  onActionComplete?(run: string, outcome: Outcome): Promise<void>;
}

/** What happens while a run goes on, for people and for NDJSON. Never secret values. */
export type EngineEvent =
  | { readonly event: "run-started"; readonly run: string; readonly actions: number }
  | {
      readonly event: "action-started";
      readonly action: number;
      readonly half: string;
      readonly kind: string;
      /** The action was done and is taken back. */
      readonly undo?: true;
      readonly name: string;
      readonly type: string;
    }
  | {
      readonly event: "action-progress";
      readonly action: number;
      readonly name: string;
      readonly message: string;
      readonly elapsedMs: number;
    }
  | {
      readonly event: "action-retry";
      readonly action: number;
      readonly name: string;
      readonly attempt: number;
      readonly afterMs: number;
      readonly why: string;
    }
  | {
      readonly event: "action-done";
      readonly action: number;
      readonly name: string;
      readonly kind: string;
      readonly outcome: Outcome;
    }
  | {
      readonly event: "recovery";
      readonly run: string;
      readonly name: string;
      readonly operation: string;
      readonly result: string;
      readonly message: string;
    }
  | {
      /** A resolver can only wait: what the dead process asked for may still take effect. */
      readonly event: "recovery-waiting";
      readonly run: string;
      readonly name: string;
      readonly operation: string;
      readonly waitMs: number;
    }
  | { readonly event: "finalizer"; readonly provider: string; readonly errors: readonly string[] }
  | {
      readonly event: "undo";
      readonly run: string;
      readonly name: string;
      readonly status: string;
      readonly message?: string;
    }
  | { readonly event: "run-closed"; readonly run: string; readonly end: string };

export type EventSink = (event: EngineEvent) => void;
