import { WfctlError, type Intent } from "@wfctl/model";
import type { Provider } from "../ports/index.ts";
import type { Recovery } from "./recover-runs.ts";
import { proveLease } from "../apply/prove-lease.ts";
import { resolveIntent, type Resolution } from "./resolve-intent.ts";
import { settleMsOf } from "./settle-time.ts";

/** Shorter waits are not worth a word. */
const toldFromMs = 1000;

export interface Resolved {
  readonly resolution: Resolution;
  /** Undefined where nobody could be asked. */
  readonly provider: Provider | undefined;
}

/** Asks the provider of an intent; today's configuration counts only while it reaches the same account. */
export async function resolveOne(recovery: Recovery, intent: Intent, processesGone: boolean): Promise<Resolved> {
  const { deps } = recovery;
  let provider: Provider | undefined;
  try {
    provider = await deps.provider(intent.provider);
  } catch (thrown) {
    return doubt(`provider "${intent.provider}" cannot be started: ${WfctlError.from(thrown).message}`);
  }
  if (provider === undefined) return doubt(`provider "${intent.provider}" is not configured any more`);
  const settleMs = settleMsOf(provider, intent.type);
  const pastDeadline = deps.clock.now() > Date.parse(intent.deadlineAt) + settleMs;
  const prove = (): Promise<unknown> => deps.store.commit(deps.lease, []);
  const resolution = await resolveIntent(intent, provider, {
    clock: deps.clock,
    random: deps.random,
    signal: deps.signal,
    owner: `${recovery.lineage}/${intent.name}`,
    answered: false,
    processDead: () => processesGone || pastDeadline,
    mayWait: () => !deps.signal.aborted,
    waiting: (isWaiting, waitMs = 0) => {
      if (!isWaiting || waitMs < toldFromMs) return;
      deps.emit({ event: "recovery-waiting", run: intent.run, name: intent.name, operation: intent.operation, waitMs });
    },
    confirmLease: () => proveLease(deps.clock, prove, prove),
  });
  return { resolution, provider };
}

function doubt(why: string): Resolved {
  return { resolution: { found: "unknown", why }, provider: undefined };
}
