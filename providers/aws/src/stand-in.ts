import type { Aws, Context } from "./calls.ts";
import type { AwsClient, ServiceName } from "./client.ts";
import { isUnoffered } from "./errors.ts";

/** What has been said of an account's servers, so that it is said once, and not asked again. */
const missing = new WeakMap<AwsClient, Set<string>>();

/**
 * The answer of a call that one can do without, or undefined where the server does not offer it: what stands in for AWS
 * offers a part of it. `call` is named by service and operation, such as "s3:GetBucketEncryption"; `instead` says what that
 * means, and is told once.
 */
export async function orUnoffered<Answer>(
  { client, context }: Aws,
  call: string,
  instead: string,
  send: () => Promise<Answer>,
): Promise<Answer | undefined> {
  const known = missing.get(client) ?? new Set<string>();
  missing.set(client, known);
  if (known.has(call)) return undefined;
  try {
    return await send();
  } catch (error) {
    const address = isUnoffered(error) ? error.call.address : undefined;
    if (address === undefined) throw error;
    known.add(call);
    tell(context, `${address} does not offer ${call}: ${instead}`);
    return undefined;
  }
}

/** Says what a server does unlike AWS, to who watches and to the host's log. */
export function tell({ log, progress }: Context, message: string): void {
  log.warn(message);
  progress(`Note: ${message}`);
}

/** Where the calls of a service go, if that is not AWS itself. */
export async function standInOf({ client, region }: Aws, service: ServiceName): Promise<string | undefined> {
  return (await client.connect(service, region)).standIn;
}
