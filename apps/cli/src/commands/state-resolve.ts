import type { Provider } from "@wfctl/engine";
import { WfctlError, type Intent, type RecordChange, type ResourceRecord, type StackState } from "@wfctl/model";
import { parseStateResolve, stateResolveSpec } from "../arguments/state.ts";
import type { Context } from "../context.ts";
import { changeState, commitAsRun } from "../session/change-state.ts";
import { createRunId } from "../session/runtime.ts";
import { createView } from "../views/create-view.ts";
import type { WritingSession } from "../session/writing-session.ts";
import type { Command } from "./command.ts";

export const stateResolveCommand: Command = {
  spec: stateResolveSpec,
  run: (argv, context) => runResolve(parseStateResolve(argv), context),
};

async function runResolve(args: ReturnType<typeof parseStateResolve>, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const { name, resolution } = args;
  return changeState(args, { command: "wfctl state resolve", context, view }, async (session) => {
    const unknown = session.state.unknown.get(name);
    if (unknown === undefined) {
      const found = session.recovery.resolved.find((entry) => entry.name === name && entry.status !== "unknown");
      if (found === undefined) throw notUnknown(name, session.state);
      const text = `"${name}" has settled by itself: ${found.message}. What you said was not needed.`;
      view.changed({ command: "state resolve", text, details: { name, status: found.status } });
      return 0;
    }
    const { intent } = unknown;
    const change =
      "absent" in resolution
        ? changeWhenAbsent(intent, session.state.records.get(name))
        : await changeWhenThere(intent, resolution.id, session);
    const { run, action, half, phase } = intent;
    await commitAsRun(session, "state", () => [
      { kind: "intent-closed", run, action, half, phase, ...(change === undefined ? {} : { record: change }) },
    ]);
    const text =
      "absent" in resolution
        ? `"${name}" is settled: there is no such object.`
        : `"${name}" is settled: it is recorded with id ${resolution.id}, and the next plan compares it.`;
    view.changed({ command: "state resolve", text, details: { name, ...resolution } });
    return 0;
  });
}

/** What state holds once the object of the intent is known not to exist. */
export function changeWhenAbsent(intent: Intent, record: ResourceRecord | undefined): RecordChange | undefined {
  if (record === undefined) return undefined;
  if (intent.deposed !== undefined) {
    return { put: { ...record, deposed: record.deposed.filter((old) => old.providerId !== intent.deposed) } };
  }
  // A create that made nothing leaves what was there before, which is for the next plan to read.
  if (intent.operation === "create") return { put: { ...record, mark: "dirty", markReason: "resolved by hand" } };
  return { remove: record.name };
}

async function changeWhenThere(
  intent: Intent,
  providerId: string,
  session: Pick<WritingSession, "providers" | "state" | "interrupts">,
): Promise<RecordChange> {
  const { name, type, provider: module } = intent;
  const provider: Provider | undefined = await session.providers.start(module);
  if (provider === undefined) {
    throw new WfctlError("CONFIG_INVALID", `Cannot look at "${name}": provider module "${module}" is not configured`, {
      hint: `Add the module "${module}" to the stack file again`,
    });
  }
  const now = Date.now();
  const live = await provider.read(
    { name, type, providerId },
    { timeoutMs: 120_000, run: createRunId(now), signal: session.interrupts.signal },
  );
  if (live === undefined) {
    throw new WfctlError("NOT_FOUND", `Cannot record "${name}": there is no ${type} with id "${providerId}"`, {
      hint: "Correct the id, or settle it with --absent",
    });
  }
  const base = intent.after ?? session.state.records.get(name) ?? intent.before;
  if (base === undefined) {
    throw new WfctlError("RESOURCE_UNKNOWN", `Cannot record "${name}": the journal does not say what it should be`, {
      hint: "Settle it with --absent, and take the object over with adopt_existing: true",
    });
  }
  const at = new Date(now).toISOString();
  return {
    put: {
      ...base,
      providerId: live.providerId === "" ? providerId : live.providerId,
      outputs: live.outputs,
      sensitiveOutputs: [...live.sensitive, ...(provider.traits(type)?.sensitiveOutputs ?? [])].filter(
        (key, index, all) => live.outputs[key] !== undefined && all.indexOf(key) === index,
      ),
      mark: "dirty",
      markReason: "resolved by hand",
      readAt: at,
      updatedAt: at,
    },
  };
}

function notUnknown(name: string, state: StackState): WfctlError {
  const known = [...state.unknown.keys()];
  return new WfctlError("RESOURCE_UNKNOWN", `Cannot resolve "${name}": it is not unknown`, {
    hint: known.length === 0 ? "No resource is unknown" : `Unknown are ${known.join(", ")}`,
  });
}
