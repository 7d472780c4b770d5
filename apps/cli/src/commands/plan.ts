import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { emptyState, createDigester, createLineage, generateKey, type ResolvedKey } from "@wfctl/state";
import type { Digester, Planned, Provider } from "@wfctl/engine";
import { WfctlError, type StackState } from "@wfctl/model";
import { parsePlan, planSpec, type PlanArguments } from "../arguments/plan.ts";
import type { Context } from "../context.ts";
import { digestVariables, encodeSavedPlan } from "../saved-plan.ts";
import { tellOfEmergencies } from "../session/emergencies.ts";
import { loadConfig } from "../session/load-config.ts";
import { locateState, type StateLocation } from "../session/locate-state.ts";
import { countErrors, describeSurroundings, makePlan, showable } from "../session/make-plan.ts";
import { beginState } from "../session/pending-state.ts";
import { findKey, openIfThere, refuseForeignRecords, tellAboutKey } from "../session/open-state.ts";
import { createProviders, modulesOf, refuseOtherAccounts } from "../session/providers.ts";
import { recallProviders, rememberProviders, type RememberOptions } from "../session/remembered-providers.ts";
import { createRunId } from "../session/runtime.ts";
import { watchInterrupts } from "../terminal/interrupts.ts";
import { createView } from "../views/create-view.ts";
import { shellWord } from "../views/shell.ts";
import type { View } from "../views/view.ts";
import { exitCodes, type Command } from "./command.ts";

export const planCommand: Command = {
  spec: planSpec,
  run: (argv, context) => runPlan(parsePlan(argv), context),
};

/** Shows what an apply or (with `destroys`) a destroy would do. Takes no lease and changes nothing. */
export async function runPlan(args: PlanArguments, context: Context, destroys = false): Promise<number> {
  const view = await createView(context, { json: args.json, markdown: args.markdown });
  const stack = await loadConfig(args, context, view, { needsVariables: !destroys });
  const location = await locateState(stack, context);
  const { state, digester } = await readState(location, context, view, args.output !== undefined);
  tellOfEmergencies(location, view);
  if (!destroys && state.serial === 0) await refuseForeignRecords(location, stack);
  const providers = createProviders({
    stack,
    context,
    view,
    ...(args.pluginDir === undefined ? {} : { pluginDir: args.pluginDir }),
    recorded: () => state.providerConfigs,
    secrets: { records: () => state.records, digest: (text) => digester.digest(text) },
  });
  using interrupts = watchInterrupts(context, {
    first: () => providers.pool.killAll(),
    shutdown: () => providers.pool.killAll(),
  });
  try {
    const needed = destroys ? modulesOf({ resources: [] }, state) : modulesOf(stack, state);
    const planWith = async (ready: ReadonlyMap<string, Provider>): Promise<Planned> => {
      refuseOtherAccounts(state.records.values(), ready);
      const planned = await makePlan({
        command: destroys ? "destroy" : "apply",
        stack,
        state,
        providers: ready,
        digester,
        options: args.options,
        context,
        runId: createRunId(Date.now()),
        signal: interrupts.signal,
      });
      interrupts.throwIfInterrupted();
      return planned;
    };
    const remember: RememberOptions = {
      modules: stack.providers,
      digester,
      context,
      ...(args.pluginDir === undefined ? {} : { pluginDir: args.pluginDir }),
    };
    const recalled = await recallProviders(needed, providers, remember);
    let started: ReadonlyMap<string, Provider> = recalled?.providers ?? new Map<string, Provider>();
    let planned = recalled === undefined ? undefined : await planWith(started);
    if (planned === undefined || recalled?.isOutdated() === true) {
      const running = await providers.startAll(needed).catch((error: unknown) => {
        interrupts.throwIfInterrupted();
        throw error;
      });
      await rememberProviders(running, remember);
      started = running;
      planned = await planWith(running);
    }
    const { plan, diagnostics } = planned;
    view.plan(showable(plan, started, args.showSensitive), {
      diagnostics,
      notes: describeSurroundings(stack, state, planned.settle),
    });
    if (countErrors(diagnostics) > 0) return exitCodes.error;
    if (args.output !== undefined) {
      const variables = digestVariables(stack, context.env, digester);
      const text = encodeSavedPlan(showable(plan, started), args.options, variables, digester);
      savePlan(resolve(context.cwd, args.output), text);
      view.notice(`The plan is saved. Run it with: wfctl apply --plan ${shellWord(args.output)}`);
    }
    return args.detailedExitCode && plan.actions.length > 0 ? exitCodes.changes : exitCodes.success;
  } finally {
    await providers.pool.shutdownAll();
    view.close();
  }
}

/**
 * The state at its last commit. A stack without one is empty, and nothing is made: its digests are under a key that is
 * thrown away, unless the plan is to be saved; then the stack gets its lineage and its key now.
 */
async function readState(
  location: StateLocation,
  context: Context,
  view: View,
  saves: boolean,
): Promise<{ readonly state: StackState; readonly digester: Digester }> {
  const opened = await openIfThere(location, context, view, { readOnly: true });
  if (opened !== undefined) {
    const { store, digester } = opened;
    try {
      return { state: await store.load(), digester };
    } finally {
      await store.close();
    }
  }
  if (!saves) {
    const lineage = createLineage();
    return { state: emptyState(lineage), digester: createDigester(generateKey(), lineage) };
  }
  const { lineage } = beginState(location, context);
  const key = (await findKey(lineage, context, location, true)) as ResolvedKey;
  tellAboutKey(key, view);
  return { state: emptyState(lineage), digester: createDigester(key.key, lineage) };
}

function savePlan(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600 });
  } catch (cause) {
    throw new WfctlError("USAGE", `Cannot save the plan in "${path}"`, {
      hint: "Name a file in a folder that exists and can be written",
      cause,
    });
  }
}
