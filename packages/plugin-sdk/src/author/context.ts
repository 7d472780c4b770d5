import type { JsonObject } from "@wfctl/model";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

/** What every handler gets beside its request. One per call. */
export interface CallContext<Client> {
  /** What `configure` of the provider returned for the configuration that the call belongs to. */
  readonly client: Client;
  /** Aborts when the host cancels the call and shortly before the deadline, early enough for an answer to arrive. */
  readonly signal: AbortSignal;
  /** Aborts when the run is stopped: give up waiting, do not begin anything long, return what there is. */
  readonly stopping: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  /** Id of the host's run; empty where the host does not say. */
  readonly run: string;
  /** Same for all attempts of one action; a fresh one where the host gives none. Write it into what you create. */
  readonly clientToken: string;
  /** Ownership mark `<stack lineage>/<resource>` to write into the object; undefined where the host gives none. */
  readonly owner: string | undefined;
  readonly log: Log;
  readonly clock: Clock;
  /** Tells people what happens. With `waiting` the host counts the call as idle until the next report. */
  progress(message: string, options?: { waiting?: boolean }): void;
  /** Sleeps. Rejects when the signal aborts or the run is stopped. */
  sleep(ms: number): Promise<void>;
  /**
   * Makes one API call within the rate of its family (`limits` of the provider; a family without an entry is not
   * limited). Reports a wait, and slows the family down when the call fails as `rate_limited`.
   */
  limit<Result>(family: string, call: () => Promise<Result>): Promise<Result>;
  /** What this call has made so far. Travels with the answer if the call fails, so that nothing made is lost. */
  partial(providerId: string, outputs?: JsonObject): void;
}
