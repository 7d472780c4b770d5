import type { StackConfig } from "@wfctl/config";
import type { StackState } from "@wfctl/model";
import type { StackArguments } from "../arguments/shared-flags.ts";
import type { Context } from "../context.ts";
import type { View } from "../views/view.ts";
import { loadConfig } from "./load-config.ts";
import { locateState, type StateLocation } from "./locate-state.ts";
import { noState, openForReading } from "./open-state.ts";

/** The stack and the place of its state, for commands that look at the state only. */
export async function findState(
  args: StackArguments,
  context: Context,
  view: View,
): Promise<{ readonly stack: StackConfig; readonly location: StateLocation }> {
  const stack = await loadConfig(args, context, view, { needsVariables: false });
  return { stack, location: await locateState(stack, context) };
}

/** The last commit of a stack's state. Throws STORE_UNAVAILABLE where there is none. */
export async function readState(
  args: StackArguments,
  context: Context,
  view: View,
): Promise<{ readonly stack: StackConfig; readonly state: StackState; readonly hasKey: boolean }> {
  const { stack, location } = await findState(args, context, view);
  const opened = await openForReading(location, context);
  if (opened === undefined) throw noState(location);
  try {
    return { stack, state: await opened.store.load(), hasKey: opened.key !== undefined };
  } finally {
    await opened.store.close();
  }
}
