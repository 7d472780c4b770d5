import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { StackConfig } from "@wfctl/config";
import { WfctlError } from "@wfctl/model";
import { createDigester, type StackMeta } from "@wfctl/state";
import { applySpec, parseApply, type ApplyArguments } from "../arguments/apply.ts";
import type { Context } from "../context.ts";
import { decodeSavedPlan, digestVariables, refuseOtherVariables, stalePlan } from "../saved-plan.ts";
import { loadConfig } from "../session/load-config.ts";
import { locateState, type StateLocation } from "../session/locate-state.ts";
import { findKey, openOrCreate, refuseForeignRecords } from "../session/open-state.ts";
import { refreshOnly } from "../session/refresh-only.ts";
import { runStack } from "../session/run-stack.ts";
import { beginWriting } from "../session/writing-session.ts";
import { createView } from "../views/create-view.ts";
import type { Command } from "./command.ts";
import { runPlan } from "./plan.ts";

export const applyCommand: Command = {
  spec: applySpec,
  run: (argv, context) => runApply(parseApply(argv), context),
};

async function runApply(args: ApplyArguments, context: Context): Promise<number> {
  if (args.dryRun && args.plan === undefined)
    return runPlan({ ...args, markdown: false, detailedExitCode: false }, context);
  const view = await createView(context, { json: args.json, stream: true });
  try {
    const file = args.plan === undefined ? undefined : readPlanFile(resolve(context.cwd, args.plan), args);
    const stack = await loadConfig({ ...args, ...file?.environment }, context, view, { needsVariables: true });
    const location = await locateState(stack, context);
    const info = await location.backend.readInfo();
    if (file !== undefined) await checkSaved(file.saved, stack, info, location, context);
    if (info === undefined) await refuseForeignRecords(location, stack);
    const opened = await openOrCreate(location, context, view, {
      stack,
      newState: args.newState,
      ...(file === undefined ? {} : { lineage: file.saved.stack.lineage }),
    });
    await using session = await beginWriting({
      command: `wfctl apply -e ${stack.environment}`,
      stack,
      opened,
      context,
      view,
      ...(args.pluginDir === undefined ? {} : { pluginDir: args.pluginDir }),
      warmUp: [...new Set(stack.resources.map((resource) => resource.provider))],
    });
    if (session.state.serial === 0) await refuseForeignRecords(location, stack);
    if (file !== undefined && session.state.serial !== file.saved.serial) {
      throw stalePlan([`the state went from serial ${file.saved.serial} to ${session.state.serial}`]);
    }
    if (args.refreshOnly) return await refreshOnly(session, args, context, view);
    return await runStack({
      command: "apply",
      session,
      args,
      context,
      view,
      ...(file === undefined ? {} : { saved: file.saved }),
    });
  } finally {
    view.close();
  }
}

type CheckablePlan = ReturnType<typeof decodeSavedPlan>;

/** The plan file, and the environment it was made for where the command line names none. */
function readPlanFile(
  path: string,
  args: ApplyArguments,
): { readonly saved: CheckablePlan; readonly environment: { readonly environment?: string } } {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new WfctlError("PLAN_INVALID", `Cannot read the saved plan "${path}"`, {
      hint: "Name a file that was made with: wfctl plan -o FILE",
      cause,
    });
  }
  const saved = decodeSavedPlan(text, path);
  const { environment } = saved.stack;
  if (args.environment !== undefined && args.environment !== environment) {
    throw new WfctlError("USAGE", `Cannot apply the saved plan to "${args.environment}": it is for "${environment}"`, {
      hint: `Leave -e out, or plan again with -e ${args.environment}`,
    });
  }
  return { saved, environment: { environment } };
}

/** Before anything is made or started: is the plan ours, and of this stack? */
async function checkSaved(
  saved: CheckablePlan,
  stack: StackConfig,
  info: StackMeta | undefined,
  location: StateLocation,
  context: Context,
): Promise<void> {
  const { lineage } = saved.stack;
  if (saved.stack.name !== stack.name)
    throw stalePlan([`it is for the stack "${saved.stack.name}", this is "${stack.name}"`]);
  if (info !== undefined && info.lineage !== lineage) throw stalePlan(["the stack has another state since"]);
  if (info === undefined && saved.serial > 0)
    throw stalePlan([`there is no state at "${location.backend.location}" any more`]);
  const key = await findKey(lineage, context, location, false);
  if (key === undefined) {
    throw new WfctlError("KEY_REQUIRED", "Cannot check the saved plan: the key of its stack is not on this machine", {
      hint: "Set WFCTL_KEY, WFCTL_KEY_FILE or WFCTL_PASSPHRASE, or bring the key file here",
    });
  }
  const digester = createDigester(key.key, lineage);
  saved.verify(digester);
  refuseOtherVariables(saved, digestVariables(stack, context.env, digester));
}
