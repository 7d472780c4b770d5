import { parseStateRead, stateListSpec, type StateArguments } from "../arguments/state.ts";
import type { Context } from "../context.ts";
import { readState } from "../session/read-state.ts";
import { unknownFacts } from "../session/status-facts.ts";
import { createView } from "../views/create-view.ts";
import { maskRecord } from "../views/mask-record.ts";
import type { Command } from "./command.ts";

export const stateListCommand: Command = {
  spec: stateListSpec,
  run: (argv, context) => runStateList(parseStateRead(stateListSpec, argv), context),
};

async function runStateList(args: StateArguments, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const { stack, state } = await readState(args, context, view);
  const records = [...state.records.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  view.records({
    stack: { name: stack.name, environment: stack.environment },
    serial: state.serial,
    records: records.map(maskRecord),
    unknown: unknownFacts(state),
  });
  return 0;
}
