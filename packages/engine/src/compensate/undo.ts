import type { Intent, Outcome, PluginProcess, RunAction, RunEnd, RunState } from "@wfctl/model";
import type { Run } from "../apply/run.ts";
import { intentsInDoubt, type PlannedUndo } from "./undo-steps.ts";

export interface CompensateOptions {
  /** Resources to leave as they are. */
  readonly skip: ReadonlySet<string>;
  readonly parallelism?: number;
  readonly signal?: AbortSignal;
  /** Id of the run that does the undo, where the undone one is closed: a run of its own. Absent while the undone run is still open. */
  readonly undoRunId?: string;
  /** Calls of an undo that died and of which nothing is known, by `undoKey`: they may still come to their effect. */
  readonly doubts?: ReadonlyMap<string, Intent>;
  /** Plugin processes that serve the undo, journaled with its own run. */
  readonly plugins?: readonly PluginProcess[];
}

export interface CompensationReport {
  /** Run that was undone. */
  readonly run: string;
  readonly undone: readonly { readonly name: string; readonly message: string }[];
  /** What is not as it was before the run, with the reason. */
  readonly remaining: readonly { readonly name: string; readonly why: string }[];
  /** Outcomes of the undone run's actions as they stand now. */
  readonly outcomes: ReadonlyMap<number, Outcome>;
  readonly end: Extract<RunEnd, "compensated" | "compensation_failed">;
}

/** One undo of one run while it goes on. */
export interface Undo {
  /** The run whose journal the calls go to. */
  readonly run: Run;
  readonly target: RunState;
  readonly undos: readonly PlannedUndo[];
  readonly options: CompensateOptions;
  readonly doubts: ReadonlyMap<string, Intent>;
  /** Positions whose hook failed, with its message: the hook stays owed. */
  readonly unheard: Map<number, string>;
}

/** Names an action in the run that is undone and in the runs that undo it. */
export function undoKey({ kind, name }: Pick<RunAction, "kind" | "name">): string {
  return `${kind} ${name}`;
}

export function doubtsOf(target: RunState, options: CompensateOptions): ReadonlyMap<string, Intent> {
  const doubts = new Map(options.doubts);
  for (const intent of intentsInDoubt(target)) {
    const action = target.header.actions[intent.action];
    if (intent.phase === "undo" && action !== undefined) doubts.set(undoKey(action), intent);
  }
  return doubts;
}
