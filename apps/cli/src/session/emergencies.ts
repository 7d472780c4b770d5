import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Lease } from "@wfctl/engine";
import { makeFolders, type JournalEvent, type Plan } from "@wfctl/model";
import { emergencyPath, listEmergencies, readBackEmergencies, writeEmergency, type StateStore } from "@wfctl/state";
import type { View } from "../views/view.ts";
import type { StateLocation } from "./locate-state.ts";

/**
 * Keeps what the store refuses to record: sealed in a file beside the stack, or, where that cannot be written either, in
 * words on standard error. Never throws.
 */
export function keepForLater(
  run: {
    readonly session: { readonly store: StateStore; readonly location: Pick<StateLocation, "emergencyBase"> };
    readonly plan: Plan;
    readonly runId: string;
  },
  events: readonly JournalEvent[],
  view: Pick<View, "notice">,
): void {
  const { sealer } = run.session.store;
  const path = emergencyPath(run.session.location.emergencyBase, run.runId);
  try {
    makeFolders(dirname(path), { mkdirSync, statSync }, 0o700);
    if (sealer === undefined) throw new Error("the state is open without its key");
    writeEmergency(path, run.runId, events, sealer);
    view.notice(`What could not be recorded is in ${path}; the next apply records it`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    for (const line of events.flatMap((event) => describe(event, run.plan))) view.notice(`Not recorded: ${line}`);
    view.notice(
      `The file ${path} could not be written either (${why}); the next apply asks the provider what happened`,
    );
  }
}

/** An outcome without anything that may be secret. */
function describe(event: JournalEvent, plan: Plan): string[] {
  if (event.kind !== "outcome" && event.kind !== "half") return [];
  const action = plan.actions[event.kind === "outcome" ? event.outcome.action : event.action];
  const { record } = event;
  const object =
    record === undefined
      ? ""
      : "put" in record
        ? `, the object is ${record.put.providerId} of provider ${record.put.provider}`
        : ", the object is gone";
  const end = event.kind === "outcome" ? event.outcome.status : `${event.half} done`;
  return [`${action?.kind ?? "action"} ${action?.name ?? ""}: ${end}${object}`];
}

/** Under the lease, before anything else: records what an earlier run could not. */
export async function recordEmergencies(
  held: { readonly location: StateLocation; readonly store: StateStore; readonly lease: Lease },
  view: Pick<View, "notice">,
): Promise<void> {
  const { location, store, lease } = held;
  for (const { run, path, recorded } of await readBackEmergencies({ base: location.emergencyBase, store, lease })) {
    view.notice(
      recorded === 0
        ? `What run ${run} had left in ${path} is recorded already; the file is removed`
        : `What run ${run} could not record is in the state now; ${path} is removed`,
    );
  }
}

/** For commands that only look: the state that they see lacks what waits in these files. */
export function tellOfEmergencies(location: Pick<StateLocation, "emergencyBase">, view: Pick<View, "notice">): void {
  for (const { run, path } of listEmergencies(location.emergencyBase)) {
    view.notice(
      `Outcomes of run ${run} are not in the state yet but in ${path}: this plan does not know of them. The next apply records them first`,
    );
  }
}
