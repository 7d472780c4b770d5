import { storeError } from "./store-error.ts";

export interface HttpReply {
  readonly status: number;
  readonly body: unknown;
}

export type Fetch = typeof fetch;

/** How long one request to a store may take, in milliseconds. */
const timeoutMs = 30_000;

/** One request with a JSON answer. Throws where there is none; a status is for the caller to judge. */
export async function requestJson(
  fetch: Fetch,
  label: string,
  action: string,
  url: string,
  init: { readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly body?: string },
): Promise<HttpReply> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs), redirect: "error" });
    text = await response.text();
  } catch (cause) {
    throw storeError(label, action, "it cannot be reached", "Check its address and the network", cause);
  }
  if (text === "") return { status: response.status, body: undefined };
  try {
    return { status: response.status, body: JSON.parse(text) as unknown };
  } catch {
    return { status: response.status, body: undefined };
  }
}

/** Throws for every status that is no success. */
export function refuseStatus(label: string, action: string, { status }: HttpReply): void {
  if (status >= 200 && status < 300) return;
  const denied = status === 401 || status === 403;
  throw storeError(
    label,
    action,
    denied ? `it refuses the credentials (status ${status})` : `it answers with status ${status}`,
    denied ? "Check the token of the store and what it may do" : "Look at the store's own log",
  );
}

/** The member at a path of an answer. */
export function memberOf(body: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (node, key) => (typeof node === "object" && node !== null ? (node as Record<string, unknown>)[key] : undefined),
    body,
  );
}
