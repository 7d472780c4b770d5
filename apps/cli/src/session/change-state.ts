import type { JournalEvent, RunAction } from "@wfctl/model";
import type { StateArguments } from "../arguments/state.ts";
import type { PluginArguments } from "../arguments/shared-flags.ts";
import type { Context } from "../context.ts";
import { version } from "../version.ts";
import type { View } from "../views/view.ts";
import { loadConfig } from "./load-config.ts";
import { locateState } from "./locate-state.ts";
import { openWithKey } from "./open-state.ts";
import { createRunId } from "./runtime.ts";
import { beginWriting, type WritingSession } from "./writing-session.ts";
import { thisHolder } from "@wfctl/state";

/** Takes the lease of an existing state, recovers, and lets `work` change it. */
export async function changeState<T>(
  args: StateArguments & PluginArguments,
  call: { readonly command: string; readonly context: Context; readonly view: View },
  work: (session: WritingSession) => Promise<T>,
): Promise<T> {
  const { command, context, view } = call;
  const stack = await loadConfig(args, context, view, { needsVariables: false });
  const opened = await openWithKey(await locateState(stack, context), context, view, { readOnly: false });
  await using session = await beginWriting({
    command,
    stack,
    opened,
    context,
    view,
    ...(args.pluginDir === undefined ? {} : { pluginDir: args.pluginDir }),
  });
  return await work(session);
}

/** Commits events as a run of their own, without actions unless told: whole or not at all. */
export async function commitAsRun(
  session: Pick<WritingSession, "store" | "lease">,
  command: "state" | "import",
  eventsOf: (run: string) => readonly JournalEvent[],
  actions: readonly RunAction[] = [],
): Promise<void> {
  const { store, lease } = session;
  const nowMs = Date.now();
  const run = createRunId(nowMs);
  const { user, host } = thisHolder(command);
  await store.commit(lease, [
    {
      kind: "run-started",
      run: {
        id: run,
        command,
        planId: "",
        planDigest: "",
        onFailure: "continue",
        actions,
        startedAt: new Date(nowMs).toISOString(),
        user,
        host,
        fence: lease.fence,
        engineVersion: version,
      },
    },
    ...eventsOf(run),
    { kind: "run-closed", run, end: "succeeded", at: new Date(nowMs).toISOString() },
  ]);
}
