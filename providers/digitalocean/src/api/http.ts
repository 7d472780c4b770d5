import { failureOf, lostCall } from "../errors.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From the root of the API, such as `/v2/droplets/1`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The API by plain fetch. Each request is sent once. */
export interface Http {
  /** The answer's JSON, its text where it is none, undefined without a body. Rejects with a `ProviderFailure`. */
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
    async send<Answer>({ method, path, query = {}, body, headers }: HttpRequest, signal: AbortSignal): Promise<Answer> {
      const url = new URL(path, options.endpoint);
      for (const [key, value] of Object.entries(query))
        if (value !== undefined) url.searchParams.set(key, String(value));
      const call = { method, path };
      let response: Response;
      let text: string;
      try {
        response = await fetch(url, {
          method,
          headers: { ...base, ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
          signal: AbortSignal.any([signal, AbortSignal.timeout(silenceTimeoutMs)]),
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        text = await response.text();
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        throw lostCall(call, error);
      }
      const isJson = response.headers.get("content-type")?.includes("json") === true;
      const answer: unknown = text === "" ? undefined : isJson ? parseJson(text) : text;
      if (!response.ok) throw failureOf(call, response.status, answer, response.headers, Date.now());
      return answer as Answer;
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
