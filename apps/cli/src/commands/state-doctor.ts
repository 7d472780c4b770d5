import { WfctlError } from "@wfctl/model";
import { thisHolder, type Finding, type StackKey } from "@wfctl/state";
import { parseStateDoctor, stateDoctorSpec } from "../arguments/state.ts";
import type { Context } from "../context.ts";
import type { StateLocation } from "../session/locate-state.ts";
import { findKey, noState } from "../session/open-state.ts";
import { findState } from "../session/read-state.ts";
import { createView } from "../views/create-view.ts";
import { exitCodes, type Command } from "./command.ts";

export const stateDoctorCommand: Command = {
  spec: stateDoctorSpec,
  run: (argv, context) => runDoctor(parseStateDoctor(argv), context),
};

async function runDoctor(args: ReturnType<typeof parseStateDoctor>, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const { location } = await findState(args, context, view);
  const { backend } = location;
  if (!(await backend.exists())) throw noState(location);
  const { repaired, failure } = args.repair ? await repair(location, context) : { repaired: [] };
  const findings = await backend.doctor();
  // Damage that has no repair is among the findings; why another repair failed, no finding says.
  const isTold = findings.some(({ severity, repair: remedy }) => severity === "error" && remedy === undefined);
  if (failure !== undefined && !isTold) throw failure;
  view.doctor({ location: backend.location, findings, repaired });
  return findings.some((finding) => finding.severity === "error") ? exitCodes.attention : exitCodes.success;
}

/** Of a state that is too damaged for any repair, `failure` says so. */
async function repair(
  location: StateLocation,
  context: Context,
): Promise<{ readonly repaired: readonly Finding[]; readonly failure?: WfctlError }> {
  try {
    const key = await keyOf(location, context);
    return { repaired: await location.backend.repair({ holder: thisHolder("wfctl state doctor"), ...key }) };
  } catch (error) {
    if (!(error instanceof WfctlError) || error.code !== "STORE_CORRUPT") throw error;
    return { repaired: [], failure: error };
  }
}

/** Without the key what it opens stays unrepaired, and is found again afterwards. */
async function keyOf(location: StateLocation, context: Context): Promise<{ readonly key?: StackKey }> {
  const info = await location.backend.readInfo();
  const key = info === undefined ? undefined : await findKey(info.lineage, context, location, false);
  return key === undefined ? {} : { key: key.key };
}
