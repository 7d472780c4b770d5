import type { ApplyArguments } from "../arguments/apply.ts";
import { destroySpec, parseDestroy } from "../arguments/destroy.ts";
import type { Context } from "../context.ts";
import { loadConfig } from "../session/load-config.ts";
import { locateState } from "../session/locate-state.ts";
import { openIfThere } from "../session/open-state.ts";
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
    const location = await locateState(stack, context);
    const opened = await openIfThere(location, context, view, { readOnly: false });
    if (opened === undefined) {
      view.changed({
        command: "destroy",
        text: `There is nothing to destroy: no state at ${location.backend.location}`,
        details: { location: location.backend.location },
      });
      return 0;
    }
    await using session = await beginWriting({
      command: `wfctl destroy -e ${stack.environment}`,
      stack,
      opened,
      context,
      view,
      ...(args.pluginDir === undefined ? {} : { pluginDir: args.pluginDir }),
      warmUp: [...new Set(stack.resources.map((resource) => resource.provider))],
    });
    return await runStack({ command: "destroy", session, args, context, view });
  } finally {
    view.close();
  }
}
