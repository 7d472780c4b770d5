import type { CallContext, ProviderFailure } from "@wfctl/plugin-sdk";
import { serviceNames, type AwsClient, type ServiceModule, type ServiceName } from "./client.ts";
import { AwsFailure, failureOf } from "./errors.ts";
import { familyOf } from "./limits.ts";
import { createMade, isConflict, type Made } from "./passing.ts";

export type Context = CallContext<AwsClient>;

type InputOf<Command> = Command extends new (...rest: never[]) => { readonly input: infer Input } ? Input : never;
type OutputOf<Command> = Command extends new (...rest: never[]) => {
  resolveMiddleware(...rest: never[]): (...rest: never[]) => Promise<{ output: infer Output }>;
}
  ? Output
  : never;

/** The operations of a service: `CreateVpcCommand` is `createVpc(input)`. */
export type Calls<Module> = {
  readonly [Name in keyof Module as Name extends `${infer Operation}Command` ? Uncapitalize<Operation> : never]: (
    input: InputOf<Module[Name]>,
  ) => Promise<OutputOf<Module[Name]>>;
};

/** All services in one region, as one call of the host sees them. */
export type Aws = { readonly [Name in ServiceName]: Calls<ServiceModule<Name>> } & {
  readonly context: Context;
  readonly client: AwsClient;
  readonly region: string;
};

/**
 * Calls that AWS refused for their rate, for another change that is under way, or for something new that it does not know
 * everywhere yet, are repeated; so are reads that failed on the way.
 */
const maxAttempts = 12;
const maxRefusedAttempts = 8;
const maxReadAttempts = 4;
const firstPauseMs = 200;
const longestPauseMs = 20_000;

/** What a call of the host has done so far. */
interface Footprint {
  changed: boolean;
  readonly made: Made;
}
const footprints = new WeakMap<Context, Footprint>();

/**
 * The services of AWS for one call of the host: within the rates of each API, with AWS's errors as failures of ours.
 * A service is loaded by its first call.
 */
export function aws(context: Context, region: string = context.client.region): Aws {
  const byName: Record<string, unknown> = { context, client: context.client, region };
  for (const service of serviceNames) byName[service] = callsOf(context, service, region);
  return byName as Aws;
}

/** True once this call of the host may have changed something in the cloud. */
export function hasChanged(context: Context): boolean {
  return footprints.get(context)?.changed ?? false;
}

function callsOf(context: Context, service: ServiceName, region: string): object {
  return new Proxy(
    {},
    {
      get(_target, name) {
        // Not a promise: whoever awaits the object gets the object.
        if (typeof name !== "string" || name === "then") return undefined;
        const operation = `${name[0]?.toUpperCase()}${name.slice(1)}`;
        return (input: object) => send(context, service, region, operation, input);
      },
    },
  );
}

async function send(
  context: Context,
  service: ServiceName,
  region: string,
  operation: string,
  input: object,
): Promise<unknown> {
  const { client: awsClient, signal } = context;
  const { allowed_account_ids: allowed, forbidden_account_ids: forbidden } = awsClient.config;
  if (allowed !== undefined || forbidden !== undefined) await awsClient.identity(signal);
  const { client, module, standIn } = await awsClient.connect(service, region);
  const Command = (module as unknown as Record<string, new (input: object) => unknown>)[`${operation}Command`];
  if (Command === undefined) throw new TypeError(`${service} has no operation ${operation}: a defect of the provider`);
  const reads = isRead(operation);
  const footprint = footprintOf(context);
  const call = async (): Promise<unknown> => {
    try {
      return await client.send(new Command(input), { abortSignal: signal });
    } catch (error) {
      signal.throwIfAborted();
      throw failureOf(error, { service, operation, input, address: standIn });
    }
  };
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = awsClient.config.limit_rates ? await context.limit(familyOf(service, reads), call) : await call();
      if (!reads) {
        footprint.changed = true;
        footprint.made.note(operation, input, answer);
      }
      return answer;
    } catch (error) {
      if (!(error instanceof AwsFailure)) throw error;
      const isRefused = error.class === "rate_limited" || isConflict(error) || footprint.made.isUnknownYet(error);
      if (!reads && !error.definite && !isRefused) footprint.changed = true;
      const isRepeatable = isRefused || (reads && error.class === "transient");
      if (!isRepeatable || attempt >= attemptsFor(error, isRefused)) throw error;
      await context.sleep(pauseMs(attempt, error));
    }
  }
}

function isRead(operation: string): boolean {
  return /^(?:Describe|Get|List|Head|Filter)/.test(operation);
}

/** Some APIs grant one call in half a minute. */
function attemptsFor({ class: failureClass }: AwsFailure, isRefused: boolean): number {
  if (failureClass === "rate_limited") return maxAttempts;
  return isRefused ? maxRefusedAttempts : maxReadAttempts;
}

function pauseMs(attempt: number, failure: ProviderFailure): number {
  const ceiling = Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1));
  return Math.max(failure.retryAfterMs ?? 0, ceiling * (0.5 + Math.random() / 2));
}

function footprintOf(context: Context): Footprint {
  let footprint = footprints.get(context);
  if (footprint === undefined) footprints.set(context, (footprint = { changed: false, made: createMade() }));
  return footprint;
}
