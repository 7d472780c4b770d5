import type { Context } from "../calls.ts";
import { listRegions } from "../regions.ts";

/** The regions that the account has switched on, for hosts that ask where an environment may be. */
export async function describeRegions(context: Context): Promise<{ name: string; displayName: string }[]> {
  const home = context.client.region;
  const names = await listRegions(context);
  return names.map((name) => ({ name, displayName: name === home ? `${name} (of this provider)` : name }));
}
