import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProviderErrorClass } from "@wfctl/model";
import type { PluginCall } from "./stored-object.ts";

/**
 * One entry of a fault script: of the module's `faults` key, or of `faults.json` in the root of the cloud, which is read
 * again whenever it changes. The first entry that fits a call decides.
 */
export interface PluginFault {
  readonly operation: PluginCall["operation"];
  /** @default every type */
  readonly type?: string;
  /** @default every name */
  readonly name?: string;
  /** Counts over all processes, from 1. @default every call */
  readonly nth?: number;
  /** Before the effect. */
  readonly delayMs?: number;
  /** Between effect and answer, where a driver would wait for its cloud. */
  readonly afterMs?: number;
  /** Writes `reached/<name>` under the root when the call comes by, then waits for the file `go/<name>`. */
  readonly hold?: string;
  /** As `hold`, between effect and answer. */
  readonly holdAfter?: string;
  /** The call fails with this; without `loseReply` nothing happens in the cloud. */
  readonly error?: ProviderErrorClass;
  readonly message?: string;
  readonly retryAfterMs?: number;
  /** The effect happens, the answer is the error (class `unknown` unless told). */
  readonly loseReply?: boolean;
  /** A create leaves an object without its inputs, and fails. */
  readonly partial?: boolean;
  /** The effect happens that long after the failure or the crash. */
  readonly lateMs?: number;
  /** The plugin kills itself. */
  readonly crash?: "before" | "after";
  /** No effect, no answer. */
  readonly hang?: boolean;
  /** Spoils the answer of a create, update or read. */
  readonly reply?: "no-id" | "wrong-name" | "wrong-type" | "number-as-secret" | "empty";
}

/** Finds the fault of a call. */
export function createFaultScript(
  root: string | undefined,
  inline: readonly PluginFault[],
): (call: PluginCall, nth: number) => PluginFault | undefined {
  const file = root === undefined ? undefined : join(root, "faults.json");
  let seen = "";
  let entries: readonly PluginFault[] = [];
  const current = (): readonly PluginFault[] => {
    if (file === undefined) return [];
    const stat = statSync(file, { throwIfNoEntry: false });
    const mark = stat === undefined ? "" : `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
    if (mark !== seen) {
      seen = mark;
      entries = mark === "" ? [] : (JSON.parse(readFileSync(file, "utf8")) as PluginFault[]);
    }
    return entries;
  };
  return (call, nth) =>
    [...current(), ...inline].find(
      (fault) =>
        fault.operation === call.operation &&
        (fault.type === undefined || fault.type === call.type) &&
        (fault.name === undefined || fault.name === call.name) &&
        (fault.nth === undefined || fault.nth === nth),
    );
}

/** Writes the fault script of a cloud on disk; running plugins see it with their next call. */
export function writeFaults(root: string, faults: readonly PluginFault[]): void {
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, "faults.json.new"), JSON.stringify(faults));
  renameSync(join(root, "faults.json.new"), join(root, "faults.json"));
}

/** Lets calls go on that wait at this hold. */
export function releaseHold(root: string, hold: string): void {
  mkdirSync(join(root, "go"), { recursive: true });
  writeFileSync(join(root, "go", hold), "");
}

/** True once a call has come to this hold. */
export function hasReached(root: string, hold: string): boolean {
  return existsSync(join(root, "reached", hold));
}

/** The plugin's side of a hold. */
export async function waitAtHold(root: string, hold: string, sleep: (ms: number) => Promise<void>): Promise<void> {
  mkdirSync(join(root, "reached"), { recursive: true });
  writeFileSync(join(root, "reached", hold), String(process.pid));
  while (!existsSync(join(root, "go", hold))) await sleep(5);
}
