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
  return changeState(args, { command: "wfctl state compact", context, view }, async ({ store, lease, location }) => {
    const bytesBefore = await location.backend.size();
    const runsBefore = (await store.runs()).length;
    await store.compact(lease);
    const bytes = await location.backend.size();
    const runs = (await store.runs()).length;
    const kib = (count: number): number => Math.ceil(count / 1024);
    const sizes = bytes === undefined || bytesBefore === undefined ? undefined : { bytesBefore, bytes };
    const size = sizes === undefined ? "" : `, the file ${kib(sizes.bytes)} KiB (${kib(sizes.bytesBefore)} before)`;
    view.changed({
      command: "state compact",
      text: `The journal holds ${runs} runs (${runsBefore} before)${size}.`,
      details: { ...sizes, runsBefore, runs },
    });
    return 0;
  });
}
