import type {
  Intent,
  JsonObject,
  Outcome,
  OwedHook,
  PluginProcess,
  ResourceRecord,
  RunEnd,
  RunHeader,
} from "@wfctl/model";

/** `action:half:phase`, unique within a run. */
export type IntentKey = string;

export interface RunDraft {
  /** Counts the runs of the stack from 1, in the order of their start. */
  readonly number: number;
  readonly header: RunHeader;
  readonly open: Map<IntentKey, Intent>;
  readonly unknown: Map<IntentKey, UnknownIntent>;
  readonly outcomes: Map<number, Outcome>;
  readonly hooksOwed: Set<number>;
  readonly halvesDone: Set<string>;
  readonly sent: Map<IntentKey, Intent>;
  readonly finalizeOwed: Set<string>;
  readonly finalizeErrors: string[];
  readonly plugins: PluginProcess[];
  cleanupStarted: boolean;
  undo: { actions: readonly number[]; skip: readonly string[] } | undefined;
  closed: { end: RunEnd; at: string; error?: string } | undefined;
  lastSerial: number;
}

export interface UnknownIntent {
  readonly intent: Intent;
  readonly why: string;
}

export interface StackDraft {
  readonly lineage: string;
  serial: number;
  /** Runs ever started. */
  runCount: number;
  readonly records: Map<string, ResourceRecord>;
  /** In the order of their start. */
  readonly openRuns: Map<string, RunDraft>;
  /** Of closed runs, by `run:action:half:phase`, oldest first. */
  readonly unknown: Map<string, UnknownIntent>;
  readonly finalizeOwed: Set<string>;
  /** Of closed runs, by `run:action`, oldest first. */
  readonly hooksOwed: Map<string, OwedHook>;
  readonly providerConfigs: Map<string, { readonly name: string; readonly config: JsonObject }>;
  /** Closed runs, oldest first, where the owner of the draft wants them kept. */
  readonly history: Map<string, RunDraft> | undefined;
}

export function createDraft(lineage: string, options: { history?: boolean } = {}): StackDraft {
  return {
    lineage,
    serial: 0,
    runCount: 0,
    records: new Map(),
    openRuns: new Map(),
    unknown: new Map(),
    finalizeOwed: new Set(),
    hooksOwed: new Map(),
    providerConfigs: new Map(),
    history: options.history === true ? new Map() : undefined,
  };
}

export function createRunDraft(header: RunHeader, number: number, serial: number): RunDraft {
  return {
    number,
    header,
    open: new Map(),
    unknown: new Map(),
    outcomes: new Map(),
    hooksOwed: new Set(),
    halvesDone: new Set(),
    sent: new Map(),
    finalizeOwed: new Set(),
    finalizeErrors: [],
    plugins: [],
    cleanupStarted: false,
    undo: undefined,
    closed: undefined,
    lastSerial: serial,
  };
}
