import { suggestHint } from "@wfctl/config/suggest";
import { WfctlError, type RecordChange, type ResourceRecord, type StackState } from "@wfctl/model";
import { parseStateMove, stateMoveSpec, type StateMoveArguments } from "../arguments/state-move.ts";
import type { Context } from "../context.ts";
import { changeState, commitAsRun } from "../session/change-state.ts";
import { createView } from "../views/create-view.ts";
import type { Command } from "./command.ts";

export const stateMoveCommand: Command = {
  spec: stateMoveSpec,
  run: (argv, context) => runMove(parseStateMove(argv), context),
};

async function runMove(args: StateMoveArguments, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const { from, to } = args;
  return changeState(args, { command: "wfctl state mv", context, view }, async (session) => {
    const record = findRecord(session.state, from, "move");
    if (session.state.records.has(to) || session.state.unknown.has(to)) {
      throw new WfctlError("USAGE", `Cannot move "${from}" to "${to}": the state has "${to}" already`, {
        hint: "Choose a name that is free",
      });
    }
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(to)) {
      throw new WfctlError("USAGE", `Cannot move "${from}" to "${to}": that is no name of a resource`, {
        hint: 'Use letters, digits, ".", "_" and "-", at most 128',
      });
    }
    const dependents = [...session.state.records.values()].filter(
      ({ name, dependencies }) => name !== from && dependencies.includes(from),
    );
    const renamed = (names: readonly string[]): string[] => names.map((name) => (name === from ? to : name));
    const changes = (run: string): RecordChange[] => [
      { remove: from },
      { put: { ...record, name: to, run } },
      ...dependents.map((dependent) => ({
        put: { ...dependent, dependencies: renamed(dependent.dependencies), run },
      })),
    ];
    await commitAsRun(session, "state", (run) =>
      changes(run).map((change) => ({ kind: "record", run, record: change }) as const),
    );
    view.changed({
      command: "state mv",
      text: `"${from}" is recorded as "${to}" now. Rename it in the stack file as well.`,
      details: { from, to },
    });
    return 0;
  });
}

/** The record of a resource that nothing is in doubt about. */
export function findRecord(state: StackState, name: string, action: string): ResourceRecord {
  if (state.unknown.has(name)) {
    throw new WfctlError("OUTCOME_UNKNOWN", `Cannot ${action} "${name}": what became of its last call is not known`, {
      hint: `Settle it first with: wfctl state resolve ${name}`,
    });
  }
  const record = state.records.get(name);
  if (record !== undefined) return record;
  throw new WfctlError("RESOURCE_UNKNOWN", `Cannot ${action} "${name}": the state does not record it`, {
    hint: suggestHint(name, [...state.records.keys()], "See what there is with: wfctl state list"),
  });
}
