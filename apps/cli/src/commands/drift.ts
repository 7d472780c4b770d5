import { suggestHint } from "@wfctl/config";
import { ProviderError, WfctlError, type ResourceRecord, type StackState } from "@wfctl/model";
import { driftSpec, parseDrift, type DriftArguments } from "../arguments/drift.ts";
import type { Context } from "../context.ts";
import { findDrift, type DriftEntry } from "../session/find-drift.ts";
import { createProviders, refuseOtherAccounts } from "../session/providers.ts";
import { readState } from "../session/read-state.ts";
import { createRunId } from "../session/runtime.ts";
import { createWanted } from "../session/wanted-values.ts";
import { watchInterrupts } from "../terminal/interrupts.ts";
import { createView } from "../views/create-view.ts";
import { renderDrift } from "../views/human/drift.ts";
import { exitCodes, type Command } from "./command.ts";

export const driftCommand: Command = {
  spec: driftSpec,
  run: (argv, context) => runDrift(parseDrift(argv), context),
};

/** How many objects are read at once. */
const readers = 10;

async function runDrift(args: DriftArguments, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const { stack, state } = await readState(args, context, view);
  const records = choose(state, args.include);
  const providers = createProviders({
    stack,
    context,
    view,
    ...(args.pluginDir === undefined ? {} : { pluginDir: args.pluginDir }),
    recorded: () => state.providerConfigs,
    secrets: { records: () => state.records, digest: () => "" },
  });
  using interrupts = watchInterrupts(context, {
    first: () => providers.pool.killAll(),
    shutdown: () => providers.pool.killAll(),
  });
  try {
    const started = await providers.startAll(new Set(records.map((record) => record.provider)));
    refuseOtherAccounts(records, started);
    const wanted = createWanted(stack, state.records, context);
    const call = { run: createRunId(Date.now()), signal: interrupts.signal };
    const found = new Map<string, DriftEntry>();
    const queue = [...records];
    const look = async (record: ResourceRecord): Promise<DriftEntry> => {
      const provider = started.get(record.provider);
      try {
        if (provider === undefined) throw new Error(`provider "${record.provider}" is not configured`);
        return await findDrift(record, wanted(record.name), provider, call);
      } catch (thrown) {
        const text = thrown instanceof Error ? thrown.message : String(thrown);
        const why = thrown instanceof ProviderError ? `${thrown.class}: ${text}` : text;
        return { name: record.name, type: record.type, class: "unknown", changes: [], why };
      }
    };
    const work = async (): Promise<void> => {
      for (let record = queue.shift(); record !== undefined; record = queue.shift()) {
        found.set(record.name, await look(record));
      }
    };
    await Promise.all(Array.from({ length: readers }, work));
    interrupts.throwIfInterrupted();
    const entries = [
      ...records.map((record) => found.get(record.name) as DriftEntry),
      ...[...state.unknown].map(([name, { intent, why }]): DriftEntry => ({
        name,
        type: intent.type,
        class: "unknown",
        changes: [],
        why,
      })),
    ];
    const drifted = entries.some((entry) => entry.class === "ghost" || entry.class === "config");
    const failed = entries.some((entry) => entry.class === "unknown");
    const exitCode = failed ? exitCodes.error : drifted ? exitCodes.changes : exitCodes.success;
    context.stdout.write(
      args.json
        ? `${JSON.stringify({ schema: "wfctl/drift/1", stack: { name: stack.name, environment: stack.environment }, serial: state.serial, drifted, resources: entries, exitCode }, undefined, 2)}\n`
        : renderDrift(entries),
    );
    return exitCode;
  } finally {
    await providers.pool.shutdownAll();
    view.close();
  }
}

function choose(state: StackState, include: ReadonlySet<string> | undefined): ResourceRecord[] {
  for (const name of include ?? []) {
    if (state.records.has(name)) continue;
    throw new WfctlError("RESOURCE_UNKNOWN", `Cannot look at "${name}": the state does not record it`, {
      hint: suggestHint(name, [...state.records.keys()], "See what there is with: wfctl state list"),
    });
  }
  return [...state.records.values()]
    .filter((record) => include?.has(record.name) !== false && !state.unknown.has(record.name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
