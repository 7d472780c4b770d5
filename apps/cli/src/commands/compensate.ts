import { boundExpressions } from "@wfctl/config";
import { suggestHint } from "@wfctl/config/suggest";
import { compensateRun, type CompensationReport, type RunSummary } from "@wfctl/engine";
import { WfctlError, type RunState } from "@wfctl/model";
import { thisHolder } from "@wfctl/state";
import { compensateSpec, parseCompensate, type CompensateArguments } from "../arguments/compensate.ts";
import type { Context } from "../context.ts";
import { changeState } from "../session/change-state.ts";
import { refuseOtherAccounts } from "../session/providers.ts";
import { createRunId, realClock, realRandom } from "../session/runtime.ts";
import type { WritingSession } from "../session/writing-session.ts";
import { version } from "../version.ts";
import { createView } from "../views/create-view.ts";
import { exitCodes, type Command } from "./command.ts";

export const compensateCommand: Command = {
  spec: compensateSpec,
  run: (argv, context) => runCompensate(parseCompensate(argv), context),
};

async function runCompensate(args: CompensateArguments, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json, stream: true });
  try {
    return await changeState(args, { command: "wfctl compensate", context, view }, async (session) => {
      const [resumed] = session.recovery.undos;
      const report = resumed ?? (await undo(session, args, context, (event) => view.event(event)));
      const exitCode =
        session.interrupts.exitCode ?? (report.end === "compensated" ? exitCodes.success : exitCodes.error);
      view.compensation({ report, exitCode });
      return exitCode;
    });
  } finally {
    view.close();
  }
}

async function undo(
  session: WritingSession,
  args: CompensateArguments,
  context: Context,
  emit: Parameters<typeof compensateRun>[0]["emit"],
): Promise<CompensationReport> {
  const { store, lease, digester, providers, interrupts } = session;
  const state = await store.load();
  const target = await findRun(session, args.run);
  const started = await providers.startAll(new Set(target.header.actions.map((action) => action.provider)));
  refuseOtherAccounts(state.records.values(), started);
  interrupts.throwIfInterrupted();
  const holder = thisHolder("wfctl compensate");
  const undoRunId = createRunId(Date.now());
  return compensateRun(
    {
      store,
      lease,
      providers: started,
      providerConfigs: providers.configs,
      clock: realClock,
      random: realRandom,
      digester,
      env: context.env,
      bounded: boundExpressions(),
      emit,
      engineVersion: version,
      user: holder.user,
      host: holder.host,
    },
    target,
    state,
    {
      skip: args.skip,
      signal: interrupts.signal,
      undoRunId,
      plugins: providers.pool.processes(),
      ...(args.parallelism === undefined ? {} : { parallelism: args.parallelism }),
    },
  );
}

/** The named run, or the last one that changed anything by a plan. */
async function findRun(session: WritingSession, id: string | undefined): Promise<RunState> {
  const runs = await session.store.runs();
  const undoable = (run: RunSummary): boolean => run.header.command === "apply" || run.header.command === "destroy";
  const wanted = id ?? runs.find(undoable)?.header.id;
  if (wanted === undefined) {
    throw new WfctlError("RUN_UNKNOWN", "There is no run to undo: the journal holds none", {
      hint: "See what the state records with: wfctl status",
    });
  }
  const found = await session.store.run(wanted);
  if (found !== undefined) return found;
  throw new WfctlError("RUN_UNKNOWN", `Cannot undo run "${wanted}": the journal does not hold it`, {
    hint: suggestHint(
      wanted,
      runs.map((run) => run.header.id),
      "See the last run with: wfctl status",
    ),
  });
}
