import { ProviderFailure, type FailureClass } from "@wfctl/plugin-sdk";
import type { ServiceName } from "./client.ts";
import { errorClasses, ec2Suffixes } from "./error-names.ts";
import { permissionOf } from "./permissions.ts";

export interface FailedCall {
  readonly service: ServiceName;
  readonly operation: string;
  readonly input: object;
  /** Where it was sent, if that is not AWS itself. */
  readonly address?: string | undefined;
}

/** A failed call, with the name that AWS gives to the error. */
export class AwsFailure extends ProviderFailure {
  readonly awsName: string;
  /** The call that failed, to be said again when the failure is reported as another class. */
  readonly call: FailedCall;
  /** The server does not offer the call, as far as one can tell: what stands in for AWS offers a part of it. */
  readonly isUnoffered: boolean;

  constructor(
    failureClass: FailureClass,
    awsName: string,
    message: string,
    options: { call: FailedCall; isUnoffered?: boolean; retryAfterMs?: number; cause?: unknown },
  ) {
    const { call, isUnoffered = false, ...rest } = options;
    super(failureClass, message, rest);
    this.name = "AwsFailure";
    this.awsName = awsName;
    this.call = call;
    this.isUnoffered = isUnoffered;
  }
}

/** Begins the message of an error that is in no table: conformance fails on it, so that the table grows. */
export const unexpectedMark = "UNEXPECTED_CLOUD_ERROR";

interface SdkError extends Error {
  readonly code?: string;
  readonly Code?: string;
  /** What some servers say instead of an error of the API. */
  readonly error?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: {
    readonly statusCode?: number;
    readonly headers?: Record<string, string>;
    readonly body?: unknown;
  };
}

/** The one conversion of what the SDK throws. */
export function failureOf(thrown: unknown, call: FailedCall): ProviderFailure {
  if (thrown instanceof ProviderFailure) return thrown;
  const error = thrown as SdkError;
  const status = error.$response?.statusCode ?? error.$metadata?.httpStatusCode;
  const page = pageOf(error, status);
  const name = page === undefined ? nameOf(error, status) : String(status);
  // A store that passes over what it does not know takes a change of a part of a bucket for a create.
  const isMistaken = call.operation.startsWith("PutBucket") && name.startsWith("BucketAlready");
  const isPage = page !== undefined;
  const isForeign = call.address !== undefined && unofferedText.test(foreignText(error) ?? "");
  const known =
    isMistaken || isForeign ? "unsupported" : isPage ? classOfPage(status) : classOf(call.service, name, status);
  const text = page ?? textOf(error, name);
  const failureClass = known ?? "unknown";
  const mark = known === undefined ? `${unexpectedMark}: ` : "";
  const message = `${mark}Cannot ${describeCall(call)}: ${text}${adviceOf(failureClass, name, call)}`;
  const isUnoffered = failureClass === "unsupported" || /^(?:405|MethodNotAllowed)$/.test(name);
  const retryAfter = Number(error.$response?.headers?.["retry-after"]);
  return new AwsFailure(failureClass, name, message, {
    call,
    cause: thrown,
    // Some fail on what they do not know, with a page that is none of the API's errors.
    isUnoffered: isUnoffered || (page !== undefined && status === 500),
    ...(Number.isFinite(retryAfter) && retryAfter > 0 ? { retryAfterMs: retryAfter * 1000 } : {}),
  });
}

const unofferedText = /unsupported|not supported|not implemented|unknown (?:action|operation|service)/i;

/** What an answer says that has no name of an error, and yet a text. */
function foreignText(error: SdkError): string | undefined {
  const { error: text } = error;
  return error.name === "Unknown" && typeof text === "string" ? text.slice(0, 200) : undefined;
}

/** Services say some names with "Fault" or "Exception" and some without. */
const bareName = (name: string): string => name.replace(/(?:Fault|Exception)$/, "");

/** True where the failure is one of these errors of AWS, whatever their names end with. */
export function isAwsError(error: unknown, ...names: readonly string[]): error is AwsFailure {
  return error instanceof AwsFailure && names.some((name) => bareName(name) === bareName(error.awsName));
}

/** The call's answer, or undefined where it fails with one of these errors: what is absent is data. */
export async function orNone<Answer>(call: Promise<Answer>, ...names: readonly string[]): Promise<Answer | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isAwsError(error, ...names)) return undefined;
    throw error;
  }
}

/** True where the server does not offer the call that failed. */
export function isUnoffered(error: unknown): error is AwsFailure {
  return error instanceof AwsFailure && error.isUnoffered;
}

/** As `orNone` for all errors that mean that an object does not exist. */
export async function orAbsent<Answer>(call: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof AwsFailure && error.class === "not_found") return undefined;
    throw error;
  }
}

function nameOf(error: SdkError, status: number | undefined): string {
  const isNamed = !["Error", "SystemError", "Unknown", "UnknownError"].includes(error.name);
  if (isNamed) return error.name;
  // An answer without a body, as to HEAD, leaves nothing but its status.
  return error.code ?? error.Code ?? (status === undefined ? error.name : String(status));
}

/** What an answer says that is none of the API's, such as a page in HTML; undefined where it is one of the API's. */
function pageOf(error: SdkError, status: number | undefined): string | undefined {
  if (status === undefined || !error.message.includes("Deserialization error")) return undefined;
  const body = typeof error.$response?.body === "string" ? error.$response.body : "";
  const words =
    /<title>([^<]{1,100})/i.exec(body)?.[1] ??
    body
      .replaceAll(/<[^>]*>|\s+/g, " ")
      .trim()
      .slice(0, 100);
  return `the answer is none of the API (status ${status}${words === "" ? "" : `, "${words.trim()}"`})`;
}

function classOfPage(status: number | undefined = 0): FailureClass {
  if (status === 404 || status === 405 || status === 501) return "unsupported";
  return status === 429 ? "rate_limited" : status >= 500 ? "transient" : "unknown";
}

function classOf(service: ServiceName, name: string, status: number | undefined): FailureClass | undefined {
  if (status === 501) return "unsupported";
  for (const each of [name, bareName(name)]) {
    const own = errorClasses.get(`${service}.${each}`) ?? errorClasses.get(each);
    if (own !== undefined) return own;
  }
  if (service === "ec2") {
    const suffix = ec2Suffixes.find(([end]) => name.endsWith(end));
    if (suffix !== undefined) return suffix[1];
  }
  return status !== undefined && status >= 500 ? "transient" : undefined;
}

function textOf(error: SdkError, name: string): string {
  const text = (foreignText(error) ?? error.message ?? "")
    .replaceAll(/\s+/g, " ")
    .replace(/Encoded authorization failure message: \S+/, "");
  const trimmed = text.trim().replace(/\.$/, "");
  return trimmed === "" || trimmed === name || trimmed === "UnknownError" ? name : `${trimmed} (${name})`;
}

function adviceOf(failureClass: FailureClass, name: string, { service, operation, address }: FailedCall): string {
  if (failureClass === "unsupported" || (address !== undefined && /^(?:405|500)$/.test(name))) {
    const where = address ?? "this region";
    return `; ${where} may not offer ${service}:${operation}: leave out what needs it, or use a server that has it`;
  }
  if (failureClass === "forbidden") return `; allow ${permissionOf(service, operation)} to these credentials`;
  if (failureClass === "unauthorized") return "; check or renew the credentials";
  if (/Limits?Exceeded|QuotaExceeded|TooMany(?!Requests)/.test(name)) {
    return "; remove what is not needed, or ask AWS for a higher quota";
  }
  return "";
}

/** `CreateBucket` of bucket x is: create bucket "x". */
function describeCall({ operation, input }: FailedCall): string {
  const words = operation.replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
  const subject = subjectOf(input);
  return subject === undefined ? words : `${words} "${subject}"`;
}

/** What a call is about: the first name, id or ARN in its input. */
function subjectOf(input: object): string | undefined {
  for (const [key, value] of Object.entries(input)) {
    if (!/(?:name|id|ids|arn|arns|identifier|bucket|cluster|service|services)$/i.test(key)) continue;
    const first: unknown = Array.isArray(value) ? value[0] : value;
    if (typeof first === "string" && first !== "") return first;
  }
  return undefined;
}
