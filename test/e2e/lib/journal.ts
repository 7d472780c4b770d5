import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ActionStatus, JournalEvent, PluginProcess, RunAction } from "@wfctl/model";

/** One run as the journal in the state file tells it. */
export interface JournaledRun {
  readonly id: string;
  readonly end: string | undefined;
  readonly plugins: readonly PluginProcess[];
  /** For each action all statuses that were written for it, the first first. */
  readonly actions: readonly (RunAction & {
    readonly statuses: readonly ActionStatus[];
    readonly code: string | undefined;
  })[];
}

/** The runs of a stack's state file, oldest first, event by event: nothing is put together by the store. */
export function readJournal(folder: string, file: string): JournaledRun[] {
  const database = new DatabaseSync(join(folder, ".wfctl/state", file), { readOnly: true });
  try {
    const events = database
      .prepare("SELECT body FROM journal WHERE kind IN ('plugin-started', 'outcome') ORDER BY id")
      .all()
      .map(({ body }) => JSON.parse(body as string) as JournalEvent);
    const runs = database.prepare("SELECT id, closed, actions FROM runs ORDER BY number").all();
    return runs.map((run) => readRun(run, events));
  } finally {
    database.close();
  }
}

function readRun(run: Record<string, unknown>, events: readonly JournalEvent[]): JournaledRun {
  const id = String(run["id"]);
  const outcomes = events.flatMap((event) => (event.kind === "outcome" && event.run === id ? [event.outcome] : []));
  const closed = run["closed"];
  return {
    id,
    end: typeof closed === "string" ? (JSON.parse(closed) as { end: string }).end : undefined,
    plugins: events.flatMap((event) => (event.kind === "plugin-started" && event.run === id ? [event.process] : [])),
    actions: (JSON.parse(String(run["actions"])) as RunAction[]).map((action) => {
      const own = outcomes.filter((outcome) => outcome.action === action.index);
      return {
        ...action,
        statuses: own.map(({ status }) => status),
        code: own.at(-1)?.code,
      };
    }),
  };
}
