import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { StackConfig } from "@wfctl/config";
import {
  isStateExport,
  matchObjects,
  readForeignState,
  readStateExport,
  type ForeignState,
  type Match,
} from "@wfctl/exchange";
import { isJsonObject, WfctlError, type JsonObject, type StackState } from "@wfctl/model";
import { parseStateImport, stateImportSpec, type StateImportArguments } from "../arguments/state.ts";
import type { Context } from "../context.ts";
import { importForeign, matchOptions, type Imported } from "../session/import-foreign.ts";
import { loadConfig } from "../session/load-config.ts";
import { locateState, type StateLocation } from "../session/locate-state.ts";
import { openForReading, openOrCreate } from "../session/open-state.ts";
import { readStateFile } from "../session/read-state-file.ts";
import { takeOverRecords, type TakenRecords } from "../session/take-over-records.ts";
import { convertUpstreamRecord } from "../session/convert-upstream.ts";
import { readUpstreamRecords } from "../session/upstream-records.ts";
import { writeImported } from "../session/write-imported.ts";
import { beginWriting, type WritingSession } from "../session/writing-session.ts";
import { createView } from "../views/create-view.ts";
import { renderStateImport, summarizeImport, type ImportFacts } from "../views/human/state-import.ts";
import type { View } from "../views/view.ts";
import { exitCodes, type Command } from "./command.ts";

export const stateImportCommand: Command = {
  spec: stateImportSpec,
  run: (argv, context) => runImport(parseStateImport(argv), context),
};

interface Importing {
  readonly args: StateImportArguments;
  readonly context: Context;
  readonly view: View;
  readonly stack: StackConfig;
  readonly location: StateLocation;
}

async function runImport(args: StateImportArguments, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const { path, content } = readStateFile(args.from, context);
  const stack = await loadConfig(args, context, view, { needsVariables: false });
  const importing: Importing = { args, context, view, stack, location: await locateState(stack, context) };
  if (content === undefined) return importRecords(importing, path, readUpstream(path, stack));
  if (isJsonObject(content) && typeof content["resource_id"] === "string") {
    throw new WfctlError("USAGE", `Cannot import from "${path}": it is one record of upstream`, {
      hint: "Name the folder that holds them all",
    });
  }
  if (isStateExport(content)) return importRecords(importing, path, { ...readStateExport(path, content), again: true });
  return importObjects(importing, readForeignState(path, content));
}

function readUpstream(directory: string, stack: StackConfig): TakenRecords {
  const found = readUpstreamRecords(directory);
  if (found.length === 0) {
    throw new WfctlError("USAGE", `Cannot import from "${directory}": no record of upstream is in it`, {
      hint: "Name the folder that upstream's iac.state module keeps its records in",
    });
  }
  const nowIso = new Date().toISOString();
  return { records: found.map((record) => convertUpstreamRecord(record, stack, nowIso)), again: false };
}

/** Records that another state gives whole. */
async function importRecords(importing: Importing, path: string, taken: TakenRecords): Promise<number> {
  const { args, view } = importing;
  const told = (names: readonly string[], kept: number): string => {
    const one = names.length === 1;
    const list = names.length === 0 ? "" : `: ${names.join(", ")}`;
    const already = kept === 0 ? "" : `; ${kept} ${kept === 1 ? "is" : "are"} recorded already`;
    if (args.dryRun) return `${names.length} ${one ? "record" : "records"} would be imported${list}${already}.`;
    const next = names.length === 0 ? "" : " The next plan reads and compares each.";
    return `${names.length} ${one ? "record is" : "records are"} imported${list}${already}.${next}`;
  };
  for (const name of taken.unknown ?? []) {
    view.notice(`"${name}" was in doubt in the state that was exported: look for its object yourself`);
  }
  if (args.dryRun) {
    const { fresh, kept } = takeOverRecords(await readRecorded(importing), path, taken);
    const names = fresh.map(({ name }) => name);
    view.changed({ command: "state import", text: told(names, kept), details: { dryRun: true, imported: names } });
    return exitCodes.success;
  }
  await using session = await openSession(importing);
  const { fresh, kept, commit } = takeOverRecords(session.state, path, taken);
  await commit(session);
  const names = fresh.map(({ name }) => name);
  view.changed({ command: "state import", text: told(names, kept), details: { imported: names } });
  return exitCodes.success;
}

/** Objects that another tool's state names: each is read from the cloud. */
async function importObjects(importing: Importing, foreign: ForeignState): Promise<number> {
  const { args, stack, context } = importing;
  const expected = matchObjects(foreign, matchOptions(stack, await readRecorded(importing), args.providers));
  const target = args.write === undefined ? undefined : { shown: args.write, path: resolve(context.cwd, args.write) };
  if (target !== undefined && existsSync(target.path)) {
    throw new WfctlError("USAGE", `Cannot write "${target.shown}": it exists already`, {
      hint: "Name a new file; nothing was imported",
    });
  }
  const isNoOp = expected.every(({ will }) => will !== "import");
  if (args.dryRun || (isNoOp && (target === undefined || unnamedOf(stack, expected, []).length === 0))) {
    tell(importing, foreign, { matches: expected, ...(args.dryRun ? {} : { imported: [] }) });
    return exitCodes.success;
  }
  await using session = await openSession(importing);
  const progress = tellProgress(importing.view);
  const { matches, imported } = await importForeign(session, foreign, args.providers, progress.step).finally(
    progress.end,
  );
  const unnamed = unnamedOf(stack, matches, imported);
  const written =
    target === undefined || unnamed.length === 0 || session.interrupts.signal.aborted
      ? undefined
      : { file: target.shown, ...(await writeImported(session, unnamed, target)) };
  tell(importing, foreign, { matches, imported, ...(written === undefined ? {} : { written }) });
  if (session.interrupts.exitCode !== undefined) return session.interrupts.exitCode;
  return imported.every(({ ended }) => ended === "recorded") ? exitCodes.success : exitCodes.error;
}

/** A provider may have to keep to a rate: every ten seconds a line says how far it is. */
function tellProgress(view: Pick<View, "notice">) {
  let text = "";
  const timer = setInterval(() => {
    if (text !== "") view.notice(text);
  }, 10_000);
  timer.unref();
  return {
    step: (done: number, total: number): void => void (text = `${done} of ${total} objects are read`),
    end: (): void => clearInterval(timer),
  };
}

/** Recorded, or in a dry run to be recorded, under names that the stack file does not have. */
function unnamedOf(
  stack: Pick<StackConfig, "resources">,
  matches: readonly Match[],
  imported: readonly Imported[] | undefined,
): readonly string[] {
  const named = new Set(stack.resources.map(({ name }) => name));
  const taken =
    imported?.filter(({ ended }) => ended === "recorded") ?? matches.filter(({ will }) => will === "import");
  return [...taken, ...matches.filter(({ will }) => will === "stay")]
    .flatMap((match) => ("name" in match && !named.has(match.name) ? [match.name] : []))
    .toSorted();
}

function tell({ args, context, view, stack }: Importing, foreign: ForeignState, facts: ImportFacts): void {
  const { matches, imported, written } = facts;
  const unnamed = unnamedOf(stack, matches, imported);
  if (!args.json) context.stdout.write(renderStateImport({ ...facts, foreign, unnamed }));
  const ends = new Map((imported ?? []).map((each) => [each.address, each]));
  view.changed({
    command: "state import",
    text: summarizeImport(matches, imported),
    details: {
      ...(args.dryRun ? { dryRun: true } : {}),
      format: foreign.format,
      notes: foreign.notes,
      notInStackFile: unnamed,
      ...(written === undefined
        ? {}
        : {
            written: {
              file: written.file,
              names: written.names,
              skipped: written.skipped.map((each) => ({ ...each })),
            },
          }),
      entries: matches.map((match) => toJson(match, ends.get(match.address))),
    },
  });
}

function toJson(match: Match, end: Imported | undefined): JsonObject {
  const { address, foreignType, will } = match;
  const base = { address, foreignType, will };
  if (will === "import") {
    const { name, type, module } = match;
    const told = {
      ...(end?.why === undefined ? {} : { why: end.why }),
      ...(end?.owner === undefined ? {} : { owner: end.owner }),
    };
    const ended = end === undefined ? {} : { ended: end.ended, ...told };
    return { ...base, name, type, module, id: end?.id ?? match.id, ...ended };
  }
  if (will === "stay") return { ...base, name: match.name };
  return { ...base, why: match.why, ...(will === "miss" && match.hint !== undefined ? { hint: match.hint } : {}) };
}

async function readRecorded({ location, context }: Importing): Promise<StackState | undefined> {
  const opened = await openForReading(location, context);
  if (opened === undefined) return undefined;
  try {
    return await opened.store.load();
  } finally {
    await opened.store.close();
  }
}

async function openSession({ args, context, view, stack, location }: Importing): Promise<WritingSession> {
  const opened = await openOrCreate(location, context, view, { stack, newState: args.newState });
  return beginWriting({
    command: "wfctl state import",
    stack,
    opened,
    context,
    view,
    ...(args.pluginDir === undefined ? {} : { pluginDir: args.pluginDir }),
  });
}
