import { createFaultScript, waitAtHold, type PluginFault } from "./fault-script.ts";
import { createMemoryCloud } from "./memory-cloud.ts";
import type { PendingWork, PluginCall, PluginCloud, StoredObject } from "./stored-object.ts";

/** Configuration of the test plugins' provider modules. */
export interface CloudConfig {
  /** Folder of the cloud. Without it the cloud is in memory and gone with the process. */
  readonly root?: string | undefined;
  /** @default "main" */
  readonly account?: string | undefined;
  /** Before the effect of each call. @default 0 */
  readonly latency_ms?: number | undefined;
  readonly faults?: readonly PluginFault[] | undefined;
}

/** One configured plugin: its cloud and its faults. */
export interface CloudClient {
  readonly cloud: PluginCloud;
  readonly account: string;
  /** Carries a call through its faults. */
  perform<Effect>(call: PluginCall, work: CallWork<Effect>, host: CallHost): Promise<Performed<Effect>>;
}

export interface CallWork<Effect> {
  effect(partial: boolean): Effect;
  /** What `lateMs` puts off. */
  readonly late?: PendingWork;
}

export interface CallHost {
  sleep(ms: number): Promise<void>;
  /** Called when the effect has happened and only waiting is left. */
  waiting?(effect: unknown): void;
}

export interface Performed<Effect> {
  readonly effect: Effect;
  readonly reply: PluginFault["reply"];
}

/** A call that a fault lets fail. */
export class ScriptedFailure extends Error {
  readonly fault: PluginFault;
  readonly effect: unknown;

  constructor(fault: PluginFault, effect: unknown) {
    super(fault.message ?? (fault.loseReply === true ? "the connection was reset" : "refused by the fault script"));
    this.name = "ScriptedFailure";
    this.fault = fault;
    this.effect = effect;
  }
}

export async function createCloudClient(config: CloudConfig): Promise<CloudClient> {
  const { root, account = "main", latency_ms: latencyMs = 0 } = config;
  const cloud = root === undefined ? createMemoryCloud() : (await import("./disk-cloud.ts")).openDiskCloud(root);
  const findFault = createFaultScript(root, config.faults ?? []);
  const scripted = root !== undefined || (config.faults ?? []).length > 0;

  return {
    cloud,
    account,
    async perform(call, work, host) {
      const fault = scripted ? findFault(call, cloud.countCall(call)) : undefined;
      if (fault === undefined) {
        if (latencyMs > 0) await host.sleep(latencyMs);
        return { effect: work.effect(false), reply: undefined };
      }
      const hold = (name: string | undefined): Promise<void> | undefined =>
        name === undefined || root === undefined ? undefined : waitAtHold(root, name, (ms) => host.sleep(ms));
      await hold(fault.hold);
      const delayMs = fault.delayMs ?? latencyMs;
      if (delayMs > 0) await host.sleep(delayMs);
      if (fault.hang === true) return new Promise<never>(() => setTimeout(() => undefined, 2 ** 31 - 1));
      if (fault.lateMs !== undefined && work.late !== undefined) {
        cloud.later(fault.lateMs, work.late);
        if (fault.crash !== undefined) die();
        throw new ScriptedFailure({ error: "unknown", ...fault }, undefined);
      }
      if (fault.crash === "before") die();
      const isLost = fault.loseReply === true || fault.partial === true;
      if (fault.error !== undefined && !isLost) throw new ScriptedFailure(fault, undefined);
      const effect = work.effect(fault.partial === true);
      if (fault.crash === "after") die();
      if (isLost) throw new ScriptedFailure({ error: "unknown", ...fault }, effect);
      host.waiting?.(effect);
      await hold(fault.holdAfter);
      if (fault.afterMs !== undefined) await host.sleep(fault.afterMs);
      return { effect, reply: fault.reply };
    },
  };
}

/** No last words: as the kernel would end it. */
function die(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("unreachable");
}

/** Outputs of an object of the test plugins. */
export function outputsOf(object: StoredObject): { readonly [key: string]: never } {
  const { value, region, parents } = object.inputs;
  return {
    endpoint: `https://${object.name}.${object.id}.example`,
    revision: object.revision,
    ...(value === undefined ? {} : { value }),
    ...(region === undefined ? {} : { region }),
    ...(parents === undefined ? {} : { parents }),
    ...(object.type.endsWith(".secret") ? { password: `password-of-${object.id}` } : {}),
  } as never;
}

export const resourceTypes = [
  "infra.test",
  "test.item",
  "test.create_first",
  "test.secret",
  "infra.secret",
  "test.plain",
  "test.deferred",
] as const;
