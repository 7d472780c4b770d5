import { failureOf, lostCall, strangeAnswer } from "../errors.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From the root of the API, such as `/v2/droplets/1`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** The answer is a text, and is given as it is. */
  readonly isText?: boolean;
}

/** The API by plain fetch. Each request is sent once. */
export interface Http {
  /** The answer's JSON, an empty object without a body. Rejects with a `ProviderFailure`. */
  send<Answer>(request: HttpRequest, signal: AbortSignal): Promise<Answer>;
}

/** Without an answer a call is given up: its end is not known then. */
const silenceTimeoutMs = 60_000;

export function createHttp(options: { endpoint: string; token: string; userAgent: string }): Http {
  const base = {
    authorization: `Bearer ${options.token}`,
    accept: "application/json",
    "user-agent": options.userAgent,
  };
  return {
    async send<Answer>(request: HttpRequest, signal: AbortSignal): Promise<Answer> {
      const { method, path, query = {}, body, headers, isText = false } = request;
      const url = new URL(`${options.endpoint.replace(/\/+$/, "")}${path}`);
      for (const [key, value] of Object.entries(query))
        if (value !== undefined) url.searchParams.set(key, String(value));
      const call = { method, path };
      let response: Response;
      let text: string;
      try {
        response = await fetch(url, {
          method,
          headers: {
            ...base,
            ...(isText ? { accept: "*/*" } : {}),
            ...headers,
            ...(body === undefined ? {} : { "content-type": "application/json" }),
          },
          signal: AbortSignal.any([signal, AbortSignal.timeout(silenceTimeoutMs)]),
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        text = await response.text();
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        throw lostCall(call, error);
      }
      const answer = parseAnswer(text);
      if (!response.ok) throw failureOf(call, response.status, answer, response.headers, Date.now());
      if (isText) return text as Answer;
      // Of a delete nothing is read. Elsewhere something between here and the API has answered in its place.
      if (typeof answer === "string" && method !== "DELETE") throw strangeAnswer(call, response.status);
      return (answer ?? {}) as Answer;
    },
  };
}

/** The JSON of an answer, whatever type it says it is of; its text where it is none; undefined without a body. */
function parseAnswer(text: string): unknown {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
