import { suggestHint } from "@wfctl/config/suggest";
import { WfctlError } from "@wfctl/model";
import { parseStateUntaint, stateUntaintSpec, type StateNameArguments } from "../arguments/state.ts";
import type { Context } from "../context.ts";
import { changeState, commitAsRun } from "../session/change-state.ts";
import { createView } from "../views/create-view.ts";
import type { Command } from "./command.ts";

export const stateUntaintCommand: Command = {
  spec: stateUntaintSpec,
  run: (argv, context) => runUntaint(parseStateUntaint(argv), context),
};

async function runUntaint(args: StateNameArguments, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const { name } = args;
  return changeState(args, { command: "wfctl state untaint", context, view }, async (session) => {
    const record = session.state.records.get(name);
    if (record === undefined) {
      throw new WfctlError("RESOURCE_UNKNOWN", `Cannot untaint "${name}": the state does not record it`, {
        hint: suggestHint(name, [...session.state.records.keys()], "See what there is with: wfctl state list"),
      });
    }
    if (record.mark !== "tainted") {
      view.changed({ command: "state untaint", text: `"${name}" is not tainted.`, details: { name, changed: false } });
      return 0;
    }
    await commitAsRun(session, "state", (run) => [
      { kind: "record", run, record: { put: { ...record, mark: "dirty", markReason: "untainted by hand", run } } },
    ]);
    view.changed({
      command: "state untaint",
      text: `"${name}" is not tainted any more: the next plan reads and compares it.`,
      details: { name, changed: true },
    });
    return 0;
  });
}
