import { statSync } from "node:fs";
import { parseStateCompact, stateCompactSpec } from "../arguments/state.ts";
import type { Context } from "../context.ts";
import { changeState } from "../session/change-state.ts";
import { createView } from "../views/create-view.ts";
import type { Command } from "./command.ts";

export const stateCompactCommand: Command = {
  spec: stateCompactSpec,
  run: (argv, context) => runCompact(parseStateCompact(argv), context),
};

async function runCompact(args: ReturnType<typeof parseStateCompact>, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  return changeState(args, { command: "wfctl state compact", context, view }, async ({ store, lease }) => {
    const bytesBefore = statSync(store.path).size;
    const runsBefore = (await store.runs()).length;
    await store.compact(lease);
    const bytes = statSync(store.path).size;
    const runs = (await store.runs()).length;
    view.changed({
      command: "state compact",
      text: `The journal holds ${runs} runs (${runsBefore} before), the file ${Math.ceil(bytes / 1024)} KiB (${Math.ceil(bytesBefore / 1024)} before).`,
      details: { bytesBefore, bytes, runsBefore, runs },
    });
    return 0;
  });
}
