import { isObject, type JsonObject } from "./json.ts";

/** One disturbance: which requests it hits, and what happens to them. */
export interface Fault {
  readonly method?: string;
  /** Regular expression over the path. */
  readonly path?: string;
  /** Operation id of the description. */
  readonly operation?: string;
  /** Lets that many fitting requests pass first. @default 0 */
  readonly skip?: number;
  /** How many requests it hits. @default 1 */
  readonly times?: number;
  /**
   * `status`: that answer, nothing done. `drop`: the connection is cut, nothing done. `lose_reply`: done, then the
   * connection is cut. `hang`: done, and the answer never comes. `delay`: done after `delayMs`.
   */
  readonly effect: "status" | "drop" | "lose_reply" | "hang" | "delay";
  /** With `status`. @default 500 */
  readonly status?: number;
  readonly body?: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
  readonly delayMs?: number;
}

export interface Faults {
  add(fault: Fault): void;
  clear(): void;
  /** The fault that hits this request, if any; counts it. */
  take(request: { method: string; path: string; operation: string | undefined }): Fault | undefined;
  pending(): readonly Fault[];
}

export function createFaults(): Faults {
  let active: { fault: Fault; skip: number; left: number }[] = [];
  return {
    add(fault) {
      active.push({ fault, skip: fault.skip ?? 0, left: fault.times ?? 1 });
    },
    clear() {
      active = [];
    },
    take({ method, path, operation }) {
      for (const entry of active) {
        const { fault } = entry;
        if (fault.method !== undefined && fault.method !== method) continue;
        if (fault.operation !== undefined && fault.operation !== operation) continue;
        if (fault.path !== undefined && !new RegExp(fault.path).test(path)) continue;
        if (entry.skip > 0) {
          entry.skip -= 1;
          continue;
        }
        entry.left -= 1;
        if (entry.left <= 0) active = active.filter((each) => each !== entry);
        return fault;
      }
      return undefined;
    },
    pending: () => active.map(({ fault }) => fault),
  };
}

export const effects = ["status", "drop", "lose_reply", "hang", "delay"] as const;

/** True for what a program may send as a fault. */
export function isFault(value: unknown): value is Fault {
  return isObject(value) && (effects as readonly unknown[]).includes(value["effect"]);
}
