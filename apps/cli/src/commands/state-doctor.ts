import { doctor, readStackInfo, repair, stackExists, thisHolder } from "@wfctl/state";
import { parseStateDoctor, stateDoctorSpec } from "../arguments/state.ts";
import type { Context } from "../context.ts";
import { findKey } from "../session/open-state.ts";
import { findState, noState } from "../session/read-state.ts";
import { createView } from "../views/create-view.ts";
import { exitCodes, type Command } from "./command.ts";

export const stateDoctorCommand: Command = {
  spec: stateDoctorSpec,
  run: (argv, context) => runDoctor(parseStateDoctor(argv), context),
};

async function runDoctor(args: ReturnType<typeof parseStateDoctor>, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const { location } = await findState(args, context, view);
  const { path } = location;
  if (!stackExists(path)) throw noState(location);
  const repaired = args.repair
    ? await repair({ path, holder: thisHolder("wfctl state doctor"), ...(await keyOf(path, context)) })
    : [];
  const findings = doctor(path);
  view.doctor({ location: path, findings, repaired });
  return findings.some((finding) => finding.severity === "error") ? exitCodes.attention : exitCodes.success;
}

/** Without the key what it opens stays unrepaired, and is found again afterwards. */
async function keyOf(path: string, context: Context): Promise<Pick<Parameters<typeof repair>[0], "key">> {
  const info = readStackInfo(path);
  const key = info === undefined ? undefined : await findKey(info.lineage, context, false);
  return key === undefined ? {} : { key: key.key };
}
