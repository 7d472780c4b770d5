import type { DesiredResource, ErrorCode, PlanAction } from "@wfctl/model";
import { asRecorded } from "../plan/as-recorded.ts";
import { isIgnored } from "../plan/ignore-changes.ts";
import { providerErrorCodes } from "../plan/provider-failure.ts";
import { toSpec, type ResolvedConfig } from "../plan/resolve.ts";
import type { DiffReply, LiveObject, Provider, Ref } from "../ports/index.ts";
import type { OutcomeEnd } from "./call-ends.ts";
import { asProviderError, sendWithRetries } from "./dispatch.ts";
import type { Target } from "./execute-node.ts";
import { NotSent } from "./operate.ts";
import { readObject } from "./read-object.ts";
import { withoutMark } from "./records.ts";
import type { Run } from "./run.ts";

/** What is asked before a change was made: all that came before is durable by then. */
export async function readNow(
  target: Pick<Target, "run" | "action" | "provider"> & Partial<Pick<Target, "work">>,
  providerId: string,
  type: string = target.action.type,
): Promise<{ readonly object: LiveObject | undefined } | OutcomeEnd> {
  const { run, action, provider, work } = target;
  await durably(run);
  const timeoutMs = readTimeoutOf(action.desired, provider, type);
  try {
    const ref = { name: action.name, type, providerId };
    const stopped = (): boolean => run.halt !== undefined;
    const object = await readObject(run, provider, ref, {
      timeoutMs,
      stopped,
      ...(work === undefined ? {} : { work }),
    });
    return { object: isRecorded(run, ref) ? asRecorded(object, ref) : object };
  } catch (thrown) {
    if (run.halt !== undefined) throw new NotSent();
    const error = asProviderError(thrown);
    return errorEnd(
      providerErrorCodes[error.class],
      `Cannot read "${action.name}" before changing it: ${error.message}`,
    );
  }
}

/** Ids that people typed or that a configuration names may be other spellings of the object's own. */
function isRecorded(run: Run, { name, providerId }: Ref): boolean {
  const record = run.records.get(name);
  return record?.providerId === providerId || record?.deposed.some((old) => old.providerId === providerId) === true;
}

/** A commit that was refused has ended the run already. */
export async function durably(run: Run): Promise<void> {
  try {
    await run.durable;
  } catch {
    throw new NotSent();
  }
}

export function readTimeoutOf(desired: DesiredResource | undefined, provider: Provider, type: string): number {
  return desired?.timeouts.read ?? provider.traits(type)?.timeouts?.read ?? 120_000;
}

export async function diffNow(
  target: Pick<Target, "run" | "action" | "provider">,
  desired: DesiredResource,
  resolved: ResolvedConfig,
  current: LiveObject,
): Promise<{ readonly update: boolean; readonly replace: boolean; readonly forcing: readonly string[] } | OutcomeEnd> {
  const { run, action, provider } = target;
  const { clock, random } = run.deps;
  const { signal } = run.calls;
  const options = { timeoutMs: readTimeoutOf(desired, provider, action.type), run: run.id, signal };
  let reply: DiffReply;
  try {
    reply = await sendWithRetries(
      () => provider.diff(toSpec(desired, resolved.config), current, options),
      { repeatable: true, asksOnly: true, maxAttempts: 6, deadlineAt: clock.now() + 120_000 },
      { clock, random, signal, stopped: () => run.halt !== undefined },
    );
  } catch (thrown) {
    if (run.halt !== undefined) throw new NotSent();
    const error = asProviderError(thrown);
    return errorEnd(
      providerErrorCodes[error.class],
      `Cannot compare "${action.name}" before changing it: ${error.message}`,
    );
  }
  const changes = reply.changes.filter((change) => !isIgnored(change.path, desired.lifecycle.ignoreChanges));
  const plain = reply.changes.length === 0 && (reply.needsUpdate || reply.needsReplace);
  const update = changes.length > 0 || plain;
  const forcing = changes.filter((change) => change.forceNew).map((change) => change.path);
  return { update, replace: update && (reply.needsReplace || forcing.length > 0), forcing };
}

/** Nothing is sent; the record is marked so that the next plan looks at the object itself. */
export function outdated(run: Run, action: PlanAction, why: string): OutcomeEnd {
  const record = run.records.get(action.name);
  return {
    end: "outcome",
    status: "ERROR",
    code: "PLAN_OUTDATED",
    message: `The plan showed ${article(action.kind)} of "${action.name}", but ${why}; nothing was sent. Plan again`,
    ...(record === undefined
      ? {}
      : {
          record: {
            put: { ...withoutMark(record), mark: record.mark ?? "dirty", markReason: `the last run found that ${why}` },
          },
        }),
  };
}

function article(kind: string): string {
  if (kind === "adopt") return "an adoption";
  return kind === "update" || kind === "import" ? `an ${kind}` : `a ${kind}`;
}

export function errorEnd(code: ErrorCode, message: string): OutcomeEnd {
  return { end: "outcome", status: "ERROR", code, message };
}
