import { suggestHint } from "@wfctl/config/suggest";
import { WfctlError } from "@wfctl/model";
import { parseStateShow, stateShowSpec } from "../arguments/state.ts";
import type { Context } from "../context.ts";
import { readState } from "../session/read-state.ts";
import { createView } from "../views/create-view.ts";
import { maskRecord } from "../views/mask-record.ts";
import type { Command } from "./command.ts";

export const stateShowCommand: Command = {
  spec: stateShowSpec,
  run: (argv, context) => runStateShow(parseStateShow(argv), context),
};

async function runStateShow(args: ReturnType<typeof parseStateShow>, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const { state, hasKey } = await readState(args, context, view);
  const record = state.records.get(args.name);
  if (record === undefined) {
    const unknown = state.unknown.get(args.name);
    throw new WfctlError(
      "RESOURCE_UNKNOWN",
      unknown === undefined
        ? `The state does not record "${args.name}"`
        : `"${args.name}" is not recorded: its ${unknown.intent.operation} ended without an answer (${unknown.why})`,
      {
        hint:
          unknown === undefined
            ? suggestHint(args.name, [...state.records.keys()], "See what there is with: wfctl state list")
            : `Settle it with: wfctl state resolve ${args.name} --id ID, or --absent`,
      },
    );
  }
  if (args.showSensitive && !hasKey) {
    throw new WfctlError("KEY_REQUIRED", `Cannot show the secrets of "${args.name}": the key is not on this machine`, {
      hint: "Set WFCTL_KEY, WFCTL_KEY_FILE or WFCTL_PASSPHRASE, or leave -S out",
    });
  }
  view.record(args.showSensitive ? record : maskRecord(record));
  return 0;
}
