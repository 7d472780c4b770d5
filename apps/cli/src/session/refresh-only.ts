import type { LiveObject, Provider } from "@wfctl/engine";
import { sensitivePointersOf } from "@wfctl/engine";
import type { RecordChange, ResourceRecord } from "@wfctl/model";
import type { ApplyArguments } from "../arguments/apply.ts";
import type { Context } from "../context.ts";
import { confirm } from "../terminal/confirm.ts";
import { renderDrift } from "../views/human/drift.ts";
import type { View } from "../views/view.ts";
import { commitAsRun } from "./change-state.ts";
import { findDrift, type DriftEntry } from "./find-drift.ts";
import { refuseOtherAccounts } from "./providers.ts";
import { createRunId } from "./runtime.ts";
import { createWanted } from "./wanted-values.ts";
import type { WritingSession } from "./writing-session.ts";

/**
 * Accepts what the cloud has: records become what is read, and those whose object is gone go. Nothing is sent that
 * changes anything. The next plan shows where the stack file wants it otherwise.
 */
export async function refreshOnly(
  session: WritingSession,
  args: ApplyArguments,
  context: Context,
  view: View,
): Promise<number> {
  const { state, stack } = session;
  const records = [...state.records.values()].filter(
    ({ name }) =>
      !state.unknown.has(name) && args.options.include?.has(name) !== false && args.options.exclude?.has(name) !== true,
  );
  const providers = await session.providers.startAll(new Set(records.map((record) => record.provider)));
  refuseOtherAccounts(records, providers);
  const nowMs = Date.now();
  const call = { run: createRunId(nowMs), signal: session.interrupts.signal };
  const wanted = createWanted(stack, state.records, context);
  const entries: DriftEntry[] = [];
  const changes: RecordChange[] = [];
  for (const record of records) {
    const seen = watchReads(providers.get(record.provider) as Provider);
    const entry = await findDrift(record, wanted(record.name), seen.provider, call);
    entries.push(entry);
    const live = seen.last();
    if (entry.class === "ghost") changes.push({ remove: record.name });
    else if (entry.class === "config" && live !== undefined) {
      changes.push({ put: accept(record, live, seen.provider, new Date(nowMs).toISOString()) });
    }
  }
  session.interrupts.throwIfInterrupted();
  if (!args.json) context.stdout.write(renderDrift(entries, { next: false }));
  const details = {
    resources: entries
      .filter((entry) => entry.class !== "in-sync")
      .map(({ name, class: kind }) => ({ name, class: kind })),
  };
  if (changes.length === 0) {
    view.changed({ command: "apply --refresh-only", text: "The state is as the cloud is.", details });
    return 0;
  }
  const question = `\nRecord this in the state of ${stack.name}, environment ${stack.environment}?`;
  if (!args.autoApprove && !(await confirm(question, context, session.interrupts.signal))) {
    view.changed({ command: "apply --refresh-only", text: "Nothing was recorded.", details: { resources: [] } });
    return 0;
  }
  await commitAsRun(session, "state", (run) =>
    changes.map((change) => {
      const record = "put" in change ? { put: { ...change.put, run } } : change;
      return { kind: "record", run, record } as const;
    }),
  );
  const count = changes.length === 1 ? "1 record is" : `${changes.length} records are`;
  view.changed({ command: "apply --refresh-only", text: `${count} as the cloud is now.`, details });
  return 0;
}

/** The provider, with what its last Read gave. */
function watchReads(provider: Provider): { readonly provider: Provider; last(): LiveObject | undefined } {
  let last: LiveObject | undefined;
  const watched = new Proxy(provider, {
    get(target, key) {
      if (key === "read") {
        return async (...args: Parameters<Provider["read"]>) => (last = await target.read(...args));
      }
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return { provider: watched, last: () => last };
}

function accept(record: ResourceRecord, live: LiveObject, provider: Provider, at: string): ResourceRecord {
  const traits = provider.traits(record.type);
  const inputs = live.inputs ?? record.inputs;
  return {
    ...record,
    ...(inputs === undefined ? {} : { inputs }),
    outputs: live.outputs,
    sensitiveInputs:
      inputs === undefined
        ? record.sensitiveInputs
        : [...new Set([...record.sensitiveInputs, ...sensitivePointersOf(inputs, traits)])],
    sensitiveOutputs: [
      ...new Set([...record.sensitiveOutputs, ...live.sensitive, ...(traits?.sensitiveOutputs ?? [])]),
    ].filter((key) => live.outputs[key] !== undefined),
    // No configuration gave this: the next plan compares.
    fingerprint: "",
    readAt: at,
    updatedAt: at,
  };
}
