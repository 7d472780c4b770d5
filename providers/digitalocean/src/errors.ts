import { ProviderFailure, type FailureClass } from "@wfctl/plugin-sdk";

export interface FailedCall {
  readonly method: string;
  readonly path: string;
}

/** A refused call, with the API's word for the error and its status. */
export class ApiFailure extends ProviderFailure {
  readonly status: number;
  readonly apiId: string;

  constructor(
    failureClass: FailureClass,
    given: { status: number; apiId: string; message: string; retryAfterMs?: number; cause?: unknown },
  ) {
    const { message, status, apiId, ...options } = given;
    super(failureClass, message, options);
    this.name = "ApiFailure";
    this.status = status;
    this.apiId = apiId;
  }
}

/** Begins the message of an error with a status that is in no table. */
const unexpectedMark = "UNEXPECTED_CLOUD_ERROR";

const classes: Readonly<Record<number, FailureClass>> = {
  400: "validation",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  405: "validation",
  408: "transient",
  409: "already_exists",
  410: "not_found",
  412: "validation",
  422: "validation",
  429: "rate_limited",
  501: "unsupported",
};

/** The failure of an answer that is an error. */
export function failureOf(
  call: FailedCall,
  status: number,
  body: unknown,
  headers: Headers,
  nowMs: number,
): ApiFailure {
  const { id, message } = readErrorBody(body, status);
  const known = classOf(call, status) ?? (status >= 500 ? "transient" : undefined);
  const text = message === "" ? id : `${message.replace(/\.$/, "")} (${id})`;
  const mark = known === undefined ? `${unexpectedMark}: ` : "";
  const retryAfterMs = retryAfterOf(headers, nowMs);
  return new ApiFailure(known ?? "unknown", {
    status,
    apiId: id,
    message: `${mark}Cannot ${describeCall(call)}: ${text}${adviceOf(known)}`,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** The failure of a call that something other than the API answered, such as a page of a proxy: what it did is not known. */
export function strangeAnswer(call: FailedCall, status: number): ProviderFailure {
  return new ProviderFailure("transient", `Cannot ${describeCall(call)}: the answer (status ${status}) is no JSON`);
}

/** The failure of a call that got no answer: what it did is not known. */
export function lostCall(call: FailedCall, cause: unknown): ProviderFailure {
  const reason = cause instanceof Error ? reasonOf(cause) : String(cause);
  return new ProviderFailure("transient", `Cannot ${describeCall(call)}: no answer from the API (${reason})`, {
    cause,
  });
}

export function isStatus(error: unknown, ...statuses: readonly number[]): error is ApiFailure {
  return error instanceof ApiFailure && statuses.includes(error.status);
}

/** The call's answer, or undefined where the object does not exist: absence is data. */
export async function orAbsent<Answer>(call: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isStatus(error, 404, 410)) return undefined;
    throw error;
  }
}

/** The call's answer, or undefined where nobody serves it: details that one can do without. */
export async function ifServed<Answer>(call: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isStatus(error, 404, 405, 406, 410, 501)) return undefined;
    throw error;
  }
}

/** A conflict on a create is an object of that name; on anything else it is a state that forbids the call. */
function classOf({ method }: FailedCall, status: number): FailureClass | undefined {
  return status === 409 && method !== "POST" ? "validation" : classes[status];
}

function describeCall({ method, path }: FailedCall): string {
  const verb = { GET: "read", POST: "make", PUT: "change", PATCH: "change", DELETE: "delete" }[method] ?? method;
  return `${verb} ${path.replace(/^\/v2\//, "").split("?")[0] ?? path}`;
}

function adviceOf(failureClass: FailureClass | undefined): string {
  if (failureClass === "unauthorized") return "; check the token, or make another one";
  if (failureClass === "forbidden") return "; give the token the scope that this needs";
  return "";
}

function retryAfterOf(headers: Headers, nowMs: number): number | undefined {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  if (Number.isFinite(seconds) && seconds > 0) return seconds * 1000;
  const remaining = headers.get("ratelimit-remaining");
  const reset = Number(headers.get("ratelimit-reset") ?? Number.NaN) * 1000;
  return remaining === "0" && Number.isFinite(reset) && reset > nowMs ? Math.min(reset - nowMs, 60_000) : undefined;
}

function reasonOf(error: Error): string {
  const cause = error.cause as { code?: string } | undefined;
  return cause?.code ?? error.message;
}

const longestMessage = 300;

/** Word and message of an error, from a body of any form: the API's own, another JSON, a text, a page. */
function readErrorBody(body: unknown, status: number): { id: string; message: string } {
  const fallback = { id: String(status), message: "" };
  if (typeof body === "string") {
    const isPage = body.trimStart().startsWith("<");
    const title = /<title>([^<]*)<\/title>/i.exec(body)?.[1] ?? "";
    return { ...fallback, message: (isPage ? title : body).trim().slice(0, longestMessage) };
  }
  if (typeof body !== "object" || body === null) return fallback;
  const { id, message, error } = body as Record<string, unknown>;
  const inner = typeof error === "object" && error !== null ? (error as Record<string, unknown>)["message"] : error;
  const text = [message, inner].find((each) => typeof each === "string");
  return {
    id: typeof id === "string" && id !== "" ? id : fallback.id,
    message: typeof text === "string" ? text.slice(0, longestMessage * 4) : "",
  };
}
