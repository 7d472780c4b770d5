import type { IncomingHttpHeaders } from "node:http";
import type { EmulatorClock } from "./clock.ts";
import type { Operation } from "./description.ts";
import type { Json, JsonObject } from "./json.ts";
import type { RateState } from "./rate-limit.ts";
import type { Violation } from "./validator.ts";

export interface Reply {
  readonly status: number;
  /** A JSON value, or text or bytes with `content-type` among the headers; undefined: no body. */
  readonly body?: Json | Uint8Array | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Request<Account> {
  readonly operation: Operation;
  readonly params: Readonly<Record<string, string>>;
  /** Converted to the types that the description gives. */
  readonly query: JsonObject;
  readonly body: JsonObject;
  readonly headers: IncomingHttpHeaders;
  readonly url: URL;
  readonly account: Account;
  readonly clock: EmulatorClock;
}

export type Handler<Account> = (request: Request<Account>) => Reply | Promise<Reply>;

/** Why the server itself answers. */
export type Refusal =
  | { readonly kind: "unauthorized" }
  | { readonly kind: "rate_limited"; readonly retryAfterMs: number }
  | { readonly kind: "no_route"; readonly methods: readonly string[] }
  | { readonly kind: "bad_json" }
  | { readonly kind: "invalid"; readonly operation: Operation; readonly violations: readonly Violation[] }
  | { readonly kind: "not_emulated"; readonly operation: Operation };

/** What makes an emulator of one cloud out of the core. */
export interface Service<Account> {
  readonly title: string;
  /** OpenAPI 3.0, references into itself only. */
  readonly description: JsonObject;
  /** By operation id. An operation without one is answered by `refuse` as `not_emulated`. */
  readonly handlers: Readonly<Record<string, Handler<Account>>>;
  /** The name of the account that a request speaks for, or undefined. @default the bearer token */
  authenticate?(headers: IncomingHttpHeaders): string | undefined;
  /** State of a new account. `name` is what `authenticate` gave. */
  createAccount(name: string, tools: AccountTools): Account;
  /** The answer to a refused request, in the cloud's words. */
  refuse(refusal: Refusal): Reply;
  /** Headers of every answer. */
  headers?(rate: RateState, clock: EmulatorClock): Readonly<Record<string, string>>;
  /** Another request than those of the description, such as a download; undefined where it is none. */
  extra?(request: { method: string; url: URL; account: Account | undefined }): Reply | undefined;
  /** What a WebSocket at that address sends; undefined where there is none. */
  stream?(url: URL): AsyncIterable<string> | undefined;
  /** The account's state for people, and for tests that look behind the API. */
  inspect(account: Account): JsonObject;
}

export interface AccountTools {
  readonly clock: EmulatorClock;
  /** Shared by all collections, so that a switch changes them all. */
  readonly lag: { lagMs: number };
}
