import { parseStateRemove, stateRemoveSpec, type StateRemoveArguments } from "../arguments/state-move.ts";
import type { Context } from "../context.ts";
import { changeState, commitAsRun } from "../session/change-state.ts";
import { createView } from "../views/create-view.ts";
import type { Command } from "./command.ts";
import { findRecord } from "./state-move.ts";

export const stateRemoveCommand: Command = {
  spec: stateRemoveSpec,
  run: (argv, context) => runRemove(parseStateRemove(argv), context),
};

async function runRemove(args: StateRemoveArguments, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const { name } = args;
  return changeState(args, { command: "wfctl state rm", context, view }, async (session) => {
    const { type, providerId, deposed } = findRecord(session.state, name, "forget");
    await commitAsRun(session, "state", (run) => [{ kind: "record", run, record: { remove: name } }]);
    const ids = [providerId, ...deposed.map((old) => old.providerId)];
    view.changed({
      command: "state rm",
      text: `"${name}" is forgotten. Its ${type} stays in the cloud: ${ids.join(", ")}.`,
      details: { name, type, ids },
    });
    return 0;
  });
}
