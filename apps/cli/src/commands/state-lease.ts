import {
  parseStateLeaseBreak,
  parseStateRead,
  stateLeaseBreakSpec,
  stateLeaseShowSpec,
  type StateArguments,
} from "../arguments/state.ts";
import type { Context } from "../context.ts";
import { noState } from "../session/open-state.ts";
import { findState } from "../session/read-state.ts";
import { leaseFacts } from "../session/status-facts.ts";
import { createView } from "../views/create-view.ts";
import type { Command } from "./command.ts";

export const stateLeaseShowCommand: Command = {
  spec: stateLeaseShowSpec,
  run: (argv, context) => runLeaseShow(parseStateRead(stateLeaseShowSpec, argv), context),
};

export const stateLeaseBreakCommand: Command = {
  spec: stateLeaseBreakSpec,
  run: (argv, context) => runLeaseBreak(parseStateLeaseBreak(argv), context),
};

async function runLeaseShow(args: StateArguments, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const { location } = await findState(args, context, view);
  if (!(await location.backend.exists())) throw noState(location);
  view.lease(await leaseFacts(location.backend));
  return 0;
}

async function runLeaseBreak(args: ReturnType<typeof parseStateLeaseBreak>, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const { location } = await findState(args, context, view);
  if (!(await location.backend.exists())) throw noState(location);
  const before = await leaseFacts(location.backend);
  await location.backend.breakLease(args.id);
  view.changed({
    command: "state lease break",
    text: `Lease ${args.id} of "${before.holder?.command ?? "nobody"}" is ended. The next run resolves what its holder left in flight.`,
    details: { id: args.id },
  });
  return 0;
}
