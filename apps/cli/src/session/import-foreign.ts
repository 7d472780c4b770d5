import type { StackConfig } from "@wfctl/config";
import { dependenciesOf, type CallOptions, type Provider } from "@wfctl/engine";
import { matchObjects, type ForeignState, type Match, type MatchOptions } from "@wfctl/exchange";
import { WfctlError, type JournalEvent, type ResourceRecord, type RunEnd, type StackState } from "@wfctl/model";
import { beginImportRun } from "./import-run.ts";
import { refuseOtherAccounts } from "./providers.ts";
import { recordFound } from "./record-found.ts";
import type { WritingSession } from "./writing-session.ts";

/** How the import of one object ended. */
export type Imported = Extract<Match, { will: "import" }> & {
  readonly ended: "recorded" | "failed" | "interrupted";
  readonly why?: string;
  /** Mark of another stack that the object carries. */
  readonly owner?: string;
};

/** Objects that are asked for at the same time. */
const readsAtOnce = 8;

/** What is recorded and what the stack file wants, for the decision what a foreign object becomes. */
export function matchOptions(
  stack: Pick<StackConfig, "providers" | "resources" | "state">,
  state: Pick<StackState, "records" | "unknown"> | undefined,
  chosen: ReadonlyMap<string, string>,
): MatchOptions {
  return {
    modules: stack.providers,
    chosen,
    recorded: [...(state?.records.values() ?? [])],
    // Modules share their names with resources.
    reserved: new Set([
      ...(state?.unknown.keys() ?? []),
      ...stack.providers.map(({ name }) => name),
      ...(stack.state === undefined ? [] : [stack.state.name]),
    ]),
    wanted: stack.resources,
  };
}

/**
 * Reads each object of a foreign state and records it, one commit each: what was recorded stays, whatever becomes of the
 * rest. All of it is one run of the journal.
 */
export async function importForeign(
  session: WritingSession,
  foreign: ForeignState,
  chosen: ReadonlyMap<string, string>,
  onProgress: (done: number, total: number) => void,
): Promise<{ readonly matches: readonly Match[]; readonly imported: readonly Imported[] }> {
  const { stack, state, interrupts } = session;
  const matches = matchObjects(foreign, matchOptions(stack, state, chosen));
  const wanted = matches.filter((match) => match.will === "import");
  if (wanted.length === 0) return { matches, imported: [] };
  const providers = await session.providers.startAll(new Set(wanted.map(({ module }) => module)));
  refuseOtherAccounts(state.records.values(), providers);
  interrupts.throwIfInterrupted();
  const run = await beginImportRun(
    session,
    wanted.map(({ name, type, module: provider }) => ({ name, type, provider })),
    configEvents(session, providers),
  );
  const holders = new Map(
    [...state.records.values()].map((record) => [
      holderKey(record.provider, record.type, record.providerId),
      record.name,
    ]),
  );
  const names = namesByAddress(matches);
  const imported: Imported[] = [];
  const importOne = async (match: Extract<Match, { will: "import" }>, action: number): Promise<void> => {
    const skip = async (): Promise<void> => {
      await run.end({ action, status: "SKIPPED", code: "CANCELLED", message: "The import was interrupted before it" });
      imported.push({ ...match, ended: "interrupted" });
    };
    if (interrupts.signal.aborted) return skip();
    let record: ResourceRecord;
    let owner = "";
    try {
      const provider = providers.get(match.module) as Provider;
      const read = await readRecord(match, provider, { session, run: run.id, names });
      ({ record, owner } = read);
      const key = holderKey(record.provider, record.type, record.providerId);
      const holder = holders.get(key);
      if (holder !== undefined) throw new WfctlError("USAGE", `it is recorded as "${holder}" already`);
      holders.set(key, record.name);
    } catch (error) {
      if (interrupts.signal.aborted) return skip();
      const { code, message } = WfctlError.from(error, "PROVIDER_ERROR");
      await run.end({ action, status: "ERROR", code, message });
      imported.push({ ...match, ended: "failed", why: message });
      return undefined;
    }
    await run.end({ action, status: "SUCCESS" }, record);
    imported.push({ ...match, id: record.providerId, ended: "recorded", ...(owner === "" ? {} : { owner }) });
    return undefined;
  };
  const queue = wanted.entries();
  await Promise.all(
    Array.from({ length: Math.min(readsAtOnce, wanted.length) }, async () => {
      for (const [action, match] of queue) {
        await importOne(match, action);
        onProgress(imported.length, wanted.length);
      }
    }),
  );
  await run.close(endOf(imported));
  return { matches, imported: imported.toSorted((a, b) => (a.address < b.address ? -1 : 1)) };
}

function endOf(imported: readonly Imported[]): RunEnd {
  if (imported.some(({ ended }) => ended === "interrupted")) return "interrupted";
  return imported.some(({ ended }) => ended === "failed") ? "failed" : "succeeded";
}

function configEvents(session: WritingSession, providers: ReadonlyMap<string, Provider>): JournalEvent[] {
  return [...providers.keys()].flatMap((module) => {
    const config = session.providers.configs.get(module);
    return config === undefined
      ? []
      : [{ kind: "provider-config", provider: module, name: config.name, config: config.config } as const];
  });
}

const holderKey = (module: string, type: string, id: string): string => JSON.stringify([module, type, id]);

/** Names of all that is or will be recorded, by the other tool's address: of an instance, and of all instances of one. */
function namesByAddress(matches: readonly Match[]): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  const add = (address: string, name: string): void => {
    const known = names.get(address);
    if (known === undefined) names.set(address, [name]);
    else known.push(name);
  };
  for (const match of matches) {
    if (match.will !== "import" && match.will !== "stay") continue;
    add(match.address, match.name);
    const whole = match.address.replace(/\[(?:\d+|"(?:[^"\\]|\\.)*")\]$/, "");
    if (whole !== match.address) add(whole, match.name);
  }
  return names;
}

async function readRecord(
  match: Extract<Match, { will: "import" }>,
  provider: Provider,
  about: {
    readonly session: WritingSession;
    readonly run: string;
    readonly names: ReadonlyMap<string, readonly string[]>;
  },
) {
  const { session, run, names } = about;
  const { name, type, module, object } = match;
  const traits = provider.traits(type);
  if (!provider.features.drivers || traits === undefined) {
    throw new WfctlError("NO_DRIVER", `the plugin "${provider.name}" has no resource type ${type}`);
  }
  const call: CallOptions = {
    timeoutMs: traits.timeouts?.read ?? 120_000,
    run,
    signal: session.interrupts.signal,
  };
  const id = provider.importId === undefined ? match.id : await provider.importId(type, match.id, call);
  const live = id === undefined ? undefined : await provider.read({ name, type, providerId: id }, call);
  if (id === undefined || live === undefined) {
    throw new WfctlError("NOT_FOUND", `the cloud has no ${type} with the id "${match.id}"`);
  }
  const wanted = session.stack.resources.find((resource) => resource.name === name && resource.provider === module);
  const tainted = object.status === "tainted";
  const dependencies = [...new Set(object.dependencies.flatMap((address) => names.get(address) ?? []))]
    .filter((other) => other !== name)
    .toSorted();
  const record = recordFound(
    {
      name,
      type,
      id,
      live,
      dependencies: wanted === undefined ? dependencies : dependenciesOf(wanted),
      protected: object.protected || wanted?.protected === true,
      // What the stack file does not name yet must not be deleted for it: the next plan would forget it.
      retain: object.retain || wanted === undefined || wanted.existing || wanted.lifecycle.retain === true,
      mark: tainted ? "tainted" : "imported",
      ...(tainted ? { markReason: "the tool that it was imported from had it marked to be replaced" } : {}),
      at: new Date().toISOString(),
    },
    provider,
  );
  const { owner = "" } = live;
  return { record, owner: owner === `${session.state.lineage}/${name}` ? "" : owner };
}
