import { ProviderError, type JsonObject, type ProviderErrorClass } from "@wfctl/model";

/** How a handler may fail. `plugin_exit` and `bad_reply` are the host's to find. */
export type FailureClass = Exclude<ProviderErrorClass, "plugin_exit" | "bad_reply">;

/**
 * What a handler throws when a call failed. `validation`, `unauthorized`, `forbidden`, `image_missing`,
 * `already_exists`, `not_found` and `unsupported` promise that this call changed nothing; the host retries
 * `rate_limited` and `transient`. Anything else that is thrown arrives as `unknown`.
 * Messages are shown to people: no secret in them, and what to do next where that is known.
 */
export class ProviderFailure extends ProviderError {
  declare readonly class: FailureClass;

  constructor(
    failureClass: FailureClass,
    message: string,
    options: {
      /** When a retry makes sense, with `rate_limited` and `transient`. */
      retryAfterMs?: number;
      /** What the call made before it failed; `context.partial` says the same earlier. */
      partial?: { providerId: string; outputs: JsonObject };
      cause?: unknown;
    } = {},
  ) {
    super(failureClass, message, options);
    this.name = "ProviderFailure";
  }
}

/** Answer of a handler whose object does not exist. Data, not a failure. */
export interface NotFound {
  readonly notFound: true;
  readonly message: string;
}

export function notFound(message = ""): NotFound {
  return { notFound: true, message };
}

export function isNotFound(value: unknown): value is NotFound {
  return typeof value === "object" && value !== null && (value as Partial<NotFound>).notFound === true;
}

/** Answer of a create that met an object which is not its own. Nothing was changed. */
export interface AlreadyExists {
  readonly alreadyExists: true;
  readonly message: string;
}

export function alreadyExists(message: string): AlreadyExists {
  return { alreadyExists: true, message };
}

export function isAlreadyExists(value: unknown): value is AlreadyExists {
  return typeof value === "object" && value !== null && (value as Partial<AlreadyExists>).alreadyExists === true;
}
