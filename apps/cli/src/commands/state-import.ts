import { resolve } from "node:path";
import { WfctlError } from "@wfctl/model";
import { parseStateImport, stateImportSpec } from "../arguments/state.ts";
import type { Context } from "../context.ts";
import { commitAsRun } from "../session/change-state.ts";
import { convertUpstreamRecord } from "../session/convert-upstream.ts";
import { loadConfig } from "../session/load-config.ts";
import { locateState } from "../session/locate-state.ts";
import { openOrCreate } from "../session/open-state.ts";
import { readUpstreamRecords } from "../session/upstream-records.ts";
import { beginWriting } from "../session/writing-session.ts";
import { createView } from "../views/create-view.ts";
import type { Command } from "./command.ts";

export const stateImportCommand: Command = {
  spec: stateImportSpec,
  run: (argv, context) => runImport(parseStateImport(argv), context),
};

async function runImport(args: ReturnType<typeof parseStateImport>, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const stack = await loadConfig(args, context, view, { needsVariables: false });
  const directory = resolve(context.cwd, args.from);
  const found = readUpstreamRecords(directory);
  if (found.length === 0) {
    throw new WfctlError("USAGE", `Cannot import from "${directory}": no record of upstream is in it`, {
      hint: "Name the folder that upstream's iac.state module keeps its records in",
    });
  }
  const nowIso = new Date().toISOString();
  const records = found.map((record) => convertUpstreamRecord(record, stack, nowIso));
  const opened = await openOrCreate(await locateState(stack, context), context, view, {
    stack,
    newState: args.newState,
  });
  await using session = await beginWriting({
    command: "wfctl state import",
    stack,
    opened,
    context,
    view,
    ...(args.pluginDir === undefined ? {} : { pluginDir: args.pluginDir }),
  });
  const taken = records.filter((record) => session.state.records.has(record.name)).map((record) => record.name);
  if (taken.length > 0) {
    throw new WfctlError("USAGE", `Cannot import from "${directory}": the state records ${taken.join(", ")} already`, {
      hint: "Import into a stack that is empty; nothing was imported",
    });
  }
  await commitAsRun(session, "import", (run) =>
    records.map((record) => ({ kind: "record", run, record: { put: { ...record, run } } }) as const),
  );
  view.changed({
    command: "state import",
    text: `${records.length} ${records.length === 1 ? "record is" : "records are"} imported: ${records.map((record) => record.name).join(", ")}. The next plan reads and compares each.`,
    details: { imported: records.map((record) => record.name) },
  });
  return 0;
}
