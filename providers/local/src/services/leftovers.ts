import { readJsonFile } from "../files.ts";
import { endService, type ProcessMark } from "./processes.ts";
import { pathsIn } from "./service-file.ts";

/** How long processes without a supervisor have to end by themselves. */
const graceMs = 5000;

/** Ends what a supervisor that was killed has left running. */
export async function endRecorded(folder: string): Promise<void> {
  const state = await readJsonFile(pathsIn(folder).state);
  const processes = Array.isArray(state?.["processes"]) ? (state["processes"] as ProcessMark[]) : [];
  await endService(folder, processes, graceMs);
}
