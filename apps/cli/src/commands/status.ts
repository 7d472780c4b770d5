import type { StackConfig } from "@wfctl/config";
import type { Provider } from "@wfctl/engine";
import { ProviderError, type ResourceRecord, type StackState } from "@wfctl/model";
import { parseStatus, statusSpec, type StatusArguments } from "../arguments/status.ts";
import type { Context } from "../context.ts";
import { loadConfig } from "../session/load-config.ts";
import { locateState } from "../session/locate-state.ts";
import { openForReading, openWithKey } from "../session/open-state.ts";
import { createProviders } from "../session/providers.ts";
import { createRunId } from "../session/runtime.ts";
import { leaseFacts, openRunFacts, unknownFacts } from "../session/status-facts.ts";
import { watchInterrupts } from "../terminal/interrupts.ts";
import { createView } from "../views/create-view.ts";
import { maskRecord } from "../views/mask-record.ts";
import type { RecordRow, View } from "../views/view.ts";
import type { Command } from "./command.ts";

export const statusCommand: Command = {
  spec: statusSpec,
  run: (argv, context) => runStatus(parseStatus(argv), context),
};

async function runStatus(args: StatusArguments, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const stack = await loadConfig(args, context, view, { needsVariables: false });
  const location = await locateState(stack, context);
  const identity = { name: stack.name, environment: stack.environment };
  const found = await openForReading(location, context);
  if (found === undefined) {
    view.status({ stack: identity, location: location.backend.location });
    return 0;
  }
  await found.store.close();
  // To ask the cloud, what the state keeps of a provider must be readable.
  const opened = args.live
    ? await openWithKey(location, context, view, { readOnly: true })
    : await openForReading(location, context);
  if (opened === undefined) return 0;
  const { store, key } = opened;
  try {
    const state = await store.load();
    const records = [...state.records.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const live = args.live ? await readAll(records, { stack, state, args, context, view }) : undefined;
    const [lastRun] = await store.runs(1);
    view.status({
      stack: identity,
      location: location.backend.location,
      state: {
        lineage: state.lineage,
        serial: state.serial,
        records: records.map((record): RecordRow => {
          const read = live?.get(record.name);
          return { record: maskRecord(record), ...(read === undefined ? {} : { live: read }) };
        }),
        unknown: unknownFacts(state),
        openRuns: openRunFacts(state),
        finalizeOwed: state.finalizeOwed,
        lastRun,
        lease: await leaseFacts(location.backend),
        sealed: key === undefined,
      },
    });
    return 0;
  } finally {
    await store.close();
    view.close();
  }
}

type Live = NonNullable<RecordRow["live"]>;

/** Asks the cloud for each object, ten at a time. What cannot be asked says why; nothing is written. */
async function readAll(
  records: readonly ResourceRecord[],
  call: {
    readonly stack: StackConfig;
    readonly state: StackState;
    readonly args: StatusArguments;
    readonly context: Context;
    readonly view: View;
  },
): Promise<ReadonlyMap<string, Live>> {
  const { stack, state, args, context, view } = call;
  const providers = createProviders({
    stack,
    context,
    view,
    ...(args.pluginDir === undefined ? {} : { pluginDir: args.pluginDir }),
    recorded: () => state.providerConfigs,
  });
  using interrupts = watchInterrupts(context, {
    first: () => providers.pool.killAll(),
    shutdown: () => providers.pool.killAll(),
  });
  const run = createRunId(Date.now());
  const answers = new Map<string, Live>();
  const queue = [...records];
  const readOne = async (record: ResourceRecord): Promise<Live> => {
    try {
      const provider: Provider | undefined = await providers.start(record.provider);
      if (provider === undefined) return { state: "failed", text: `provider "${record.provider}" is not configured` };
      const { name, type, providerId } = record;
      const object = await provider.read(
        { name, type, providerId },
        { timeoutMs: 120_000, run, signal: interrupts.signal },
      );
      return object === undefined ? { state: "gone", text: "" } : { state: "there", text: object.status };
    } catch (thrown) {
      const text = thrown instanceof Error ? thrown.message : String(thrown);
      return { state: "failed", text: thrown instanceof ProviderError ? `${thrown.class}: ${text}` : text };
    }
  };
  const work = async (): Promise<void> => {
    for (let record = queue.shift(); record !== undefined; record = queue.shift()) {
      answers.set(record.name, await readOne(record));
    }
  };
  try {
    await Promise.all(Array.from({ length: 10 }, work));
    interrupts.throwIfInterrupted();
    return answers;
  } finally {
    await providers.pool.shutdownAll();
  }
}
