import { boundExpressions, type StackConfig } from "@wfctl/config";
import { applyPlan, type Hooks, type Planned, type Provider, type RecoveryReport, type RunReport } from "@wfctl/engine";
import { WfctlError, type Plan, type StackState } from "@wfctl/model";
import { thisHolder } from "@wfctl/state";
import type { ApplyArguments } from "../arguments/apply.ts";
import { exitCodes } from "../commands/command.ts";
import type { Context } from "../context.ts";
import { refuseStale, type SavedPlan } from "../saved-plan.ts";
import { confirm } from "../terminal/confirm.ts";
import { version } from "../version.ts";
import { planToJson } from "../views/json/plan.ts";
import { maskKeys } from "../views/mask.ts";
import type { RunFacts, View } from "../views/view.ts";
import { keepDurations, recallDurations } from "./call-durations.ts";
import { countErrors, describeSurroundings, makePlan, showable } from "./make-plan.ts";
import { keepForLater } from "./emergencies.ts";
import { modulesOf, refuseOtherAccounts } from "./providers.ts";
import { rememberProviders } from "./remembered-providers.ts";
import { createRunId, realClock, realRandom } from "./runtime.ts";
import { evaluateOutputs, type EvaluatedOutputs } from "./stack-outputs.ts";
import { withSmallHeap } from "./small-heap.ts";
import type { WritingSession } from "./writing-session.ts";
import { stackEnv } from "./stack-env.ts";

export interface RunStackInput {
  readonly command: "apply" | "destroy";
  readonly session: WritingSession;
  readonly args: ApplyArguments;
  readonly context: Context;
  readonly view: View;
  /** The plan to run, proven unchanged; what is planned now must be equal to it. */
  readonly saved?: SavedPlan;
}

/** Plans, shows, asks, and runs exactly what was shown. Resolves to the exit code. */
export function runStack(input: RunStackInput): Promise<number> {
  const { stack, state } = input.session;
  return withSmallHeap(Math.max(stack.resources.length, state.records.size), () => planAndRun(input));
}

async function planAndRun(input: RunStackInput): Promise<number> {
  const { command, session, args, context, view, saved } = input;
  const { stack, state, interrupts } = session;
  refuseAfterUndo(session.recovery);
  const startedAtMs = Date.now();
  const runId = createRunId(startedAtMs);
  const options = { ...(saved?.options ?? args.options), ...parallelismOf(args) };
  const needed = command === "destroy" ? modulesOf({ resources: [] }, state) : modulesOf(stack, state);
  const providers = await session.providers.startAll(needed).catch((error: unknown) => {
    interrupts.throwIfInterrupted();
    throw error;
  });
  await rememberProviders(providers, {
    modules: stack.providers,
    digester: session.digester,
    context,
    ...(args.pluginDir === undefined ? {} : { pluginDir: args.pluginDir }),
  });
  refuseOtherAccounts(state.records.values(), providers);
  const planned = await makePlan({
    command,
    stack,
    state,
    providers,
    digester: session.digester,
    options,
    context,
    runId,
    signal: interrupts.signal,
  });
  interrupts.throwIfInterrupted();
  const plan = saved === undefined ? planned.plan : confirmSaved(planned.plan, saved, providers);
  view.plan(showable(plan, providers, args.showSensitive), {
    diagnostics: planned.diagnostics,
    notes: describeSurroundings(stack, state, planned.settle),
  });
  refuseErrors(command, planned);

  const base = { command, plan, durationMs: 0, unknown: [] };
  const acts = plan.actions.length > 0 || state.finalizeOwed.length > 0;
  if (!acts && planned.settle.length === 0) {
    const unknown = listUnknown(state);
    const exitCode = unknown.length > 0 ? exitCodes.attention : exitCodes.success;
    view.run({ ...base, end: "unchanged", unknown, exitCode });
    return exitCode;
  }
  if (acts && !args.autoApprove && saved === undefined && !(await askFor(input, plan))) {
    view.run({ ...base, end: "declined", exitCode: exitCodes.success });
    return exitCodes.success;
  }
  interrupts.throwIfInterrupted();
  const { report, firstFailed } = await run(input, { plan, planned, state, providers, runId, options });
  // Where all went well and nothing is asked of the records, they are not read once more.
  const isSettled = report.end === "succeeded" && report.unknown.length === 0 && stack.outputs === undefined;
  const after = isSettled ? state : await session.store.load().catch(() => undefined);
  const outputs = after === undefined ? undefined : outputsOf(stack, after, args, context);
  if (command === "apply" && report.end === "succeeded") tellUnset(outputs?.unset ?? [], view);
  const facts: RunFacts = {
    command,
    end: report.end,
    plan,
    report: args.showSensitive ? report : withoutSecrets(report),
    ...(firstFailed === undefined ? {} : { firstFailed }),
    durationMs: Date.now() - startedAtMs,
    ...(outputs === undefined || Object.keys(outputs.values).length === 0 ? {} : { outputs: outputs.values }),
    unknown: after === undefined ? report.unknown.map((name) => ({ name, why: "no answer" })) : listUnknown(after),
    exitCode: 0,
  };
  const exitCode = exitCodeOf(facts, interrupts.exitCode);
  view.run({ ...facts, exitCode });
  return exitCode;
}

/** An undo that was under way has been finished first: what follows is for the user to decide. */
function refuseAfterUndo(recovery: RecoveryReport): void {
  const [undo] = recovery.undos;
  if (undo === undefined) return;
  const remaining =
    undo.remaining.length === 0 ? "" : `; not undone: ${undo.remaining.map(({ name }) => name).join(", ")}`;
  throw new WfctlError(
    "RUN_STOPPED",
    `Run ${undo.run} was being undone when its process ended, and that is finished now${remaining}`,
    {
      hint: "Nothing else was done. Look at the state, then run the command again",
    },
  );
}

/** The one to run has the name and the time of the saved plan; all else was proven equal. */
function confirmSaved(now: Plan, saved: SavedPlan, providers: ReadonlyMap<string, Provider>): Plan {
  refuseStale(saved, now, planToJson(showable(now, providers), { diagnostics: [], notes: [] }));
  return { ...now, id: saved.id, createdAt: saved.createdAt };
}

async function askFor({ command, session, context }: RunStackInput, plan: Plan): Promise<boolean> {
  const { name, environment } = plan.stack;
  const count = plan.actions.length;
  const what =
    command === "destroy" ? `Delete ${count} ${count === 1 ? "object" : "objects"} of` : "Apply this plan to";
  return confirm(`\n${what} stack ${name}, environment ${environment}?`, context, session.interrupts.signal).catch(
    (error: unknown) => {
      session.interrupts.throwIfInterrupted();
      throw error;
    },
  );
}

async function run(
  { command, session, context, view }: RunStackInput,
  made: {
    readonly plan: Plan;
    readonly planned: Planned;
    readonly state: StackState;
    readonly providers: ReadonlyMap<string, Provider>;
    readonly runId: string;
    readonly options: { readonly allowReplace: ReadonlySet<string>; readonly parallelism?: number };
  },
): Promise<{ readonly report: RunReport; readonly firstFailed: number | undefined }> {
  const { store, lease, digester, providers, interrupts } = session;
  const { runId } = made;
  const holder = thisHolder(command);
  const durations = recallDurations(context);
  let firstFailed: number | undefined;
  const report = await applyPlan(
    {
      store,
      lease,
      providers: made.providers,
      providerConfigs: providers.configs,
      clock: realClock,
      random: realRandom,
      digester,
      durations,
      env: stackEnv(session.stack, context),
      bounded: boundExpressions(),
      ...(providers.hooks() === undefined ? {} : { hooks: providers.hooks() as Hooks }),
      emit(event) {
        if (event.event === "run-started") session.setRun(runId);
        if (event.event === "action-done" && event.outcome.status !== "SUCCESS" && event.outcome.status !== "SKIPPED") {
          firstFailed ??= event.action;
        }
        view.event(event);
      },
      emergency: async (events) => keepForLater({ session, plan: made.plan, runId }, events, view),
      engineVersion: version,
      user: holder.user,
      host: holder.host,
    },
    made.plan,
    made.state,
    {
      runId,
      signal: interrupts.signal,
      graceMs: interrupts.giveUpMs,
      allowReplace: made.options.allowReplace,
      ...(made.options.parallelism === undefined ? {} : { parallelism: made.options.parallelism }),
      settle: made.planned.settle,
      plugins: providers.pool.processes(),
    },
  );
  keepDurations(durations, context);
  return { report, firstFailed };
}

function refuseErrors(command: string, planned: Planned): void {
  const errors = countErrors(planned.diagnostics);
  if (errors === 0) return;
  const [first] = planned.diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  const found = errors === 1 ? "1 error" : `${errors} errors`;
  throw new WfctlError(first?.code ?? "INTERNAL", `Cannot ${command}: the plan has ${found}`, {
    hint: first?.hint ?? "Mend what is listed with the plan",
  });
}

function listUnknown(state: StackState): RunFacts["unknown"] {
  return [...state.unknown].map(([name, { why }]) => ({ name, why }));
}

function withoutSecrets(report: RunReport): RunReport {
  const resources = report.result.resources.map((resource) => ({
    ...resource,
    outputs: maskKeys(resource.outputs, resource.sensitive),
  }));
  return { ...report, result: { ...report.result, resources } };
}

function outputsOf(
  stack: StackConfig,
  state: StackState,
  args: ApplyArguments,
  context: Context,
): EvaluatedOutputs | undefined {
  if (stack.outputs === undefined) return undefined;
  return evaluateOutputs(stack, state, { env: stackEnv(stack, context), showSensitive: args.showSensitive });
}

/** A plugin without schemas of outputs lets any name pass the plan: after a success the name is wrong, or was left out of the run. */
function tellUnset(unset: readonly string[], view: Pick<View, "notice">): void {
  if (unset.length === 0) return;
  const which = `${unset.length === 1 ? "Output" : "Outputs"} ${unset.map((name) => `"${name}"`).join(", ")}`;
  view.notice(
    `${which} of the stack ${unset.length === 1 ? "has" : "have"} no value: what is referred to is not among the recorded outputs. Compare with: wfctl outputs --all`,
  );
}

function exitCodeOf(facts: RunFacts, interrupted: number | undefined): number {
  if (facts.end === "interrupted") return interrupted ?? 130;
  if (facts.unknown.length > 0) return exitCodes.attention;
  return facts.end === "succeeded" ? exitCodes.success : exitCodes.error;
}

function parallelismOf(args: ApplyArguments): { readonly parallelism?: number } {
  return args.options.parallelism === undefined ? {} : { parallelism: args.options.parallelism };
}
