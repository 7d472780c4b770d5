import type { S3Answer, S3Request } from "@wfctl/object-store";
import { ProviderFailure, type FailureClass } from "@wfctl/plugin-sdk";
import { noteChange, type Context } from "../calls.ts";

const classes: Readonly<Record<string, FailureClass>> = {
  AccessDenied: "forbidden",
  BucketAlreadyExists: "already_exists",
  BucketAlreadyOwnedByYou: "already_exists",
  InvalidAccessKeyId: "unauthorized",
  SignatureDoesNotMatch: "unauthorized",
  SlowDown: "rate_limited",
  "403": "forbidden",
};

/** An error of Spaces, with S3's word for it. */
export class SpacesFailure extends ProviderFailure {
  readonly code: string;
  readonly status: number;

  constructor(failureClass: FailureClass, code: string, status: number, message: string, cause: unknown) {
    super(failureClass, message, { cause });
    this.name = "SpacesFailure";
    this.code = code;
    this.status = status;
  }
}

/** One request to Spaces in a region, its errors as failures of ours. */
export async function callSpaces(context: Context, region: string, request: S3Request): Promise<S3Answer> {
  const client = await context.client.spaces(region);
  const isRead = request.method === "GET" || request.method === "HEAD";
  try {
    const answer = await client.send({ ...request, signal: context.signal });
    if (!isRead) noteChange(context);
    return answer;
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason;
    const { S3Error } = await import("@wfctl/object-store");
    const what = `${request.method} bucket "${request.bucket}"${request.query === undefined ? "" : ` ${Object.keys(request.query).join(" ")}`}`;
    if (!(error instanceof S3Error)) {
      if (!isRead) noteChange(context);
      throw new ProviderFailure("transient", `Cannot ${what}: no answer from Spaces`, { cause: error });
    }
    const known =
      classes[error.code] ?? (error.status >= 500 ? "transient" : error.status === 404 ? "not_found" : "validation");
    throw new SpacesFailure(known, error.code, error.status, `Cannot ${what}: ${error.message}`, error);
  }
}

/** The answer, or undefined where what was asked for does not exist. */
export async function orNoSuch<Answer>(call: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof SpacesFailure && error.status === 404) return undefined;
    throw error;
  }
}
