import { sniffClass, toProviderError } from "@wfctl/contract";
import type { CallOptions, Provider } from "@wfctl/engine";
import { ProviderError } from "@wfctl/model";

/** Driver calls over one way of sending them. Both ways mean the same and fail the same. */
export type Drivers = Pick<Provider, "create" | "read" | "update" | "delete" | "diff" | "lookup">;

/** The error for a success that lacks what it must hold. */
export function missingInReply(call: string): ProviderError {
  return new ProviderError("bad_reply", `${call} ended with success but without its result`, { answered: true });
}

export function cancelledCall(call: string): ProviderError {
  return new ProviderError("cancelled", `${call} was cancelled before it was answered`, { answered: false });
}

export function lateCall(call: string, timeoutMs: number): ProviderError {
  return new ProviderError("deadline", `${call} was not answered within ${timeoutMs} ms`, { answered: false });
}

const deadlineSlackMs = 50;

/**
 * True where a call ended by its deadline. Both ends watch it: the plugin's may be the first to answer, or only resets
 * the call.
 */
export function isLate(error: ProviderError, deadline: number): boolean {
  if (error.class === "deadline" && !error.answered) return true;
  const endsSo = error.class === "deadline" || (error.class === "cancelled" && !error.answered);
  return endsSo && Date.now() >= deadline - deadlineSlackMs;
}

/** What the words "not found" are about when they are not about the object: the way to it, or who asks. */
const otherwiseMissing =
  /no such (?:host|file)|\b(?:dial|lookup|dns|proxy|certificate|profile|credentials?|tokens?|imds|metadata service|api|endpoint|subscription|project|account|region)\b/i;

/** Where an error text holds words and digits that say nothing: addresses, ids of requests, how SDKs begin each error. */
const saysNothing =
  /\bhttps?:\/\/\S+|\b(?:request|host|trace|correlation|activity)[ _-]?id"?\s*[:=]?\s*\S+|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\bapi error\b/gi;

/** A status that is no answer about the object. */
const otherStatus = /\b(?:401|403|407|429|5\d\d)\b/;

/** Three digits are a status only where they stand alone. */
const digits = /(?<![\w.-])(\d{3})(?![\w-])|\d+/g;

/**
 * True where a failed Read says that the object is not there. Plugins of upstream's kind may say it in words only,
 * which is a guess: it is refused where the words can be about something else, because an object wrongly
 * taken for gone is created twice.
 */
export function saysAbsent(error: ProviderError, mayGuess: boolean): boolean {
  if (error.class === "not_found") return true;
  if (!mayGuess || error.class !== "unknown" || !error.answered) return false;
  const text = error.message.replaceAll(saysNothing, " ").replaceAll(digits, "$1");
  return sniffClass(text) === "not_found" && !otherStatus.test(text) && !otherwiseMissing.test(text);
}

/** A gone object is what a delete wants. */
export function isGone(error: unknown): boolean {
  return error instanceof ProviderError && error.class === "not_found";
}

/** Builds a request. What does not fit the contract is refused here: nothing was sent. */
export function encoded<T>(encode: () => T): T {
  try {
    return encode();
  } catch (cause) {
    const { message } = toProviderError(cause);
    throw new ProviderError("validation", `The request cannot be encoded: ${message}`, { answered: false, cause });
  }
}

/** A call to one of several configurations of a process. */
export interface HostCallOptions extends CallOptions {
  /** Name of the configuration; undefined where the process has only one. */
  readonly instance?: string;
}

/** What identifies a call to the plugin, beside its parameters. */
export function callContext(options: HostCallOptions) {
  return {
    run: options.run,
    ...(options.instance === undefined ? {} : { instance: options.instance }),
    ...(options.clientToken === undefined ? {} : { clientToken: options.clientToken }),
    ...(options.owner === undefined ? {} : { owner: options.owner }),
  };
}
