import { spawn } from "node:child_process";
import { once } from "node:events";
import type { LeaseHolder } from "@wfctl/engine";
import { readProcess, thisHolder } from "../lease/holder.ts";

/** A holder that was a real process of this machine and is gone. */
export async function deadHolder(command: string): Promise<LeaseHolder> {
  const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] });
  await once(child, "spawn");
  const startTime = readProcess(child.pid!)!.startTime;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
  return { ...thisHolder(command), pid: child.pid!, startTime };
}

/** A holder on another machine: only its heartbeat can tell whether it lives. */
export function remoteHolder(command: string): LeaseHolder {
  return { ...thisHolder(command), host: "elsewhere", bootId: "another-boot", pid: 4242, startTime: "1" };
}
