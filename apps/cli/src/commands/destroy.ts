import { stackExists } from "@wfctl/state";
import type { ApplyArguments } from "../arguments/apply.ts";
import { destroySpec, parseDestroy } from "../arguments/destroy.ts";
import type { Context } from "../context.ts";
import { loadConfig } from "../session/load-config.ts";
import { locateState } from "../session/locate-state.ts";
import { openWithKey } from "../session/open-state.ts";
import { runStack } from "../session/run-stack.ts";
import { beginWriting } from "../session/writing-session.ts";
import { createView } from "../views/create-view.ts";
import type { Command } from "./command.ts";
import { runPlan } from "./plan.ts";

export const destroyCommand: Command = {
  spec: destroySpec,
  run: (argv, context) => runDestroy(parseDestroy(argv), context),
};

async function runDestroy(args: ApplyArguments, context: Context): Promise<number> {
  if (args.dryRun) return runPlan({ ...args, markdown: false, detailedExitCode: false }, context, true);
  const view = await createView(context, { json: args.json, stream: true });
  try {
    const stack = await loadConfig(args, context, view, { needsVariables: false });
    const location = locateState(stack, context);
    if (!stackExists(location.path)) {
      view.changed({
        command: "destroy",
        text: `There is nothing to destroy: no state at ${location.path}`,
        details: { location: location.path },
      });
      return 0;
    }
    const opened = await openWithKey(location, context, view, { readOnly: false });
    await using session = await beginWriting({
      command: `wfctl destroy -e ${stack.environment}`,
      stack,
      opened,
      context,
      view,
      ...(args.pluginDir === undefined ? {} : { pluginDir: args.pluginDir }),
    });
    return await runStack({ command: "destroy", session, args, context, view });
  } finally {
    view.close();
  }
}
