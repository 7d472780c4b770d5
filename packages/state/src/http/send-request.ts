import { setTimeout as sleep } from "node:timers/promises";
import { WfctlError } from "@wfctl/model";

export interface BucketRequest {
  readonly method: "GET" | "PUT" | "HEAD" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface BucketReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** How requests to a bucket wait and are tried again. Others than the defaults only in tests. */
export interface RequestTimes {
  /** Longest silence of the server; sending a body has time of its own. @default 10000 */
  readonly silenceMs: number;
  /** Tries of a request that may be repeated. @default 5 */
  readonly attempts: number;
  /** Before the second try, doubled before each further one, each time half of it to one and a half. @default 200 */
  readonly delayMs: number;
}

export const defaultRequestTimes: RequestTimes = { silenceMs: 10_000, attempts: 5, delayMs: 200 };

/** Slowest connection that a body is still sent over. */
const bytesPerMs = 50;

/** Answers that say nothing about the request itself: the same request may be answered otherwise a moment later. */
const passing = new Set([408, 409, 425, 429]);

/** The server's answer leaves open whether the request took effect. Never a `WfctlError`: the caller looks, or tries again. */
export class NoCertainAnswer extends Error {}

/**
 * Sends a request that may be repeated, until there is an answer about it: 2xx, or another 4xx. Each try is made anew, so
 * that it is signed with the time of its own. Throws `STORE_UNAVAILABLE` after the last try.
 */
export async function sendRepeatedly(
  make: () => Promise<BucketRequest>,
  doing: string,
  times: RequestTimes,
): Promise<BucketReply> {
  let cause: unknown;
  for (let attempt = 0; attempt < times.attempts; attempt += 1) {
    if (attempt > 0) await sleep(times.delayMs * 2 ** (attempt - 1) * (0.5 + Math.random()));
    const request = await make();
    try {
      return await sendOnce(request, times);
    } catch (error) {
      if (!(error instanceof NoCertainAnswer)) throw error;
      cause = error;
    }
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  throw new WfctlError("STORE_UNAVAILABLE", `${doing} failed: ${why}, ${times.attempts} times`, {
    hint: "Run the command again; nothing that was acknowledged is lost",
    cause,
  });
}

/** Sends a request once. Throws `NoCertainAnswer` where nobody knows whether it took effect, or will. */
export async function sendOnce(
  { method, url, headers, body }: BucketRequest,
  times: RequestTimes,
): Promise<BucketReply> {
  const abort = new AbortController();
  const giveUp = (): void => abort.abort(new Error(`no answer for ${times.silenceMs} ms`));
  let timer = setTimeout(giveUp, times.silenceMs + (body?.length ?? 0) / bytesPerMs);
  try {
    const response = await fetch(url, {
      method,
      headers,
      signal: abort.signal,
      redirect: "manual",
      ...(body === undefined ? {} : { body }),
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, times.silenceMs);
      chunks.push(chunk);
    }
    if (response.status >= 500 || passing.has(response.status)) {
      throw new NoCertainAnswer(`the server answered ${response.status}${codeOf(response.headers, chunks)}`, {
        cause: { status: response.status, headers: response.headers },
      });
    }
    return { status: response.status, headers: response.headers, body: Buffer.concat(chunks) };
  } catch (error) {
    if (error instanceof NoCertainAnswer) throw error;
    throw new NoCertainAnswer(abort.signal.aborted ? (abort.signal.reason as Error).message : reasonOf(error), {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

/** ` (SlowDown)`: what the error calls itself in the body, or in Azure's header. */
function codeOf(headers: Headers, chunks: readonly Uint8Array[]): string {
  const code = headers.get("x-ms-error-code") ?? errorCode(Buffer.concat(chunks));
  return code === undefined ? "" : ` (${code})`;
}

/** `<Code>` of an error body. */
export function errorCode(body: Uint8Array): string | undefined {
  return /<Code>([\w.]+)<\/Code>/.exec(Buffer.from(body).toString())?.[1];
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { code, message } = cause as NodeJS.ErrnoException;
  return code === undefined ? `the connection failed (${message})` : `the connection failed (${code})`;
}
