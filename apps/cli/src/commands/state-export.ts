import { chmodSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { writeStateExport } from "@wfctl/exchange";
import { WfctlError } from "@wfctl/model";
import { parseStateExport, stateExportSpec } from "../arguments/state.ts";
import type { Context } from "../context.ts";
import { readState } from "../session/read-state.ts";
import { version } from "../version.ts";
import { createView } from "../views/create-view.ts";
import type { Command } from "./command.ts";

export const stateExportCommand: Command = {
  spec: stateExportSpec,
  run: (argv, context) => runExport(parseStateExport(argv), context),
};

async function runExport(args: ReturnType<typeof parseStateExport>, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const { stack, state, hasKey } = await readState(args, context, view);
  if (args.showSensitive && !hasKey) {
    throw new WfctlError("KEY_REQUIRED", "Cannot export secrets: the key of the state is not on this machine", {
      hint: "Set WFCTL_KEY, WFCTL_KEY_FILE or WFCTL_PASSPHRASE, or leave -S out",
    });
  }
  const text = writeStateExport({ stack, version, state, secrets: args.showSensitive });
  const unknown = [...state.unknown.keys()].toSorted();
  if (unknown.length > 0) {
    view.notice(
      `What became of the last call of ${unknown.join(", ")} is not known: settle it before you leave this state`,
    );
  }
  if (args.out === undefined) {
    context.stdout.write(text);
    return 0;
  }
  writeFile(resolve(context.cwd, args.out), text, args.showSensitive);
  const count = state.records.size;
  view.changed({
    command: "state export",
    text: `${count} ${count === 1 ? "record is" : "records are"} in ${args.out}${args.showSensitive ? ", with secrets in clear: keep it safe" : "; secrets are left out"}.`,
    details: { file: args.out, records: count },
  });
  return 0;
}

function writeFile(path: string, text: string, isSecret: boolean): void {
  try {
    writeFileSync(path, text, isSecret ? { mode: 0o600 } : {});
    // A file that was there keeps its permissions.
    if (isSecret) chmodSync(path, 0o600);
  } catch (cause) {
    throw new WfctlError("USAGE", `Cannot write "${path}"`, {
      hint: "Name a file in a folder that exists and can be written",
      cause,
    });
  }
}
