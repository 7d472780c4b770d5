import { appendFileSync } from "node:fs";
import type { Json } from "./json.ts";
import type { Violation } from "./validator.ts";

/** One request and its answer. Authorisation is left out. */
export interface Exchange {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly operation: string | undefined;
  readonly account: string | undefined;
  readonly request: Json | undefined;
  /** 0: the connection was cut. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly response: Json | undefined;
  /** The fault that hit it. */
  readonly fault?: string;
  /** What the request broke. */
  readonly refused?: readonly Violation[];
  /** Members of the request that the description does not know. */
  readonly unknown?: readonly string[];
  /** What the emulator's own answer broke: a defect of the emulator. */
  readonly defects?: readonly Violation[];
}

export interface Journal {
  record(exchange: Exchange): void;
  exchanges(): readonly Exchange[];
  clear(): void;
  /** Resolves with the first exchange from now on that fits; rejects with the signal's reason. */
  next(fits: (exchange: Exchange) => boolean, signal: AbortSignal): Promise<Exchange>;
}

/** Keeps every exchange, and appends each as a line of JSON to `file` where one is named. */
export function createJournal(file?: string): Journal {
  let kept: Exchange[] = [];
  const waiting = new Set<(exchange: Exchange) => void>();
  return {
    record(exchange) {
      kept.push(exchange);
      if (file !== undefined) appendFileSync(file, `${JSON.stringify(exchange)}\n`);
      for (const tell of waiting) tell(exchange);
    },
    exchanges: () => kept,
    clear() {
      kept = [];
    },
    async next(fits, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<Exchange>();
      const tell = (exchange: Exchange): void => {
        if (fits(exchange)) resolve(exchange);
      };
      const abort = (): void => reject(signal.reason);
      waiting.add(tell);
      signal.addEventListener("abort", abort, { once: true });
      try {
        return await promise;
      } finally {
        waiting.delete(tell);
        signal.removeEventListener("abort", abort);
      }
    },
  };
}
