import type { StackState } from "@wfctl/model";
import { isHolderAlive, type StateBackend } from "@wfctl/state";
import type { LeaseFacts, OpenRunFacts } from "../views/view.ts";

export async function leaseFacts(backend: StateBackend): Promise<LeaseFacts> {
  const view = await backend.readLease();
  return {
    id: view.fence,
    holder: view.holder,
    alive: view.holder === undefined ? undefined : isHolderAlive(view.holder),
    beatAgoMs: view.beatAgoMs,
    expiresInMs: view.expiresInMs,
  };
}

export function openRunFacts(state: StackState): OpenRunFacts[] {
  return state.openRuns.map(({ header, openIntents }) => ({
    id: header.id,
    command: header.command,
    startedAt: header.startedAt,
    inFlight: openIntents.map(({ name, operation }) => ({ name, operation })),
  }));
}

export function unknownFacts(state: StackState): { name: string; operation: string; why: string }[] {
  return [...state.unknown].map(([name, { intent, why }]) => ({ name, operation: intent.operation, why }));
}
