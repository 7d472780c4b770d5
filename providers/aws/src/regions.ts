import { ProviderFailure } from "@wfctl/plugin-sdk";
import { aws, type Aws, type Context } from "./calls.ts";

/** The regions that the account has switched on. */
export async function listRegions(context: Context): Promise<string[]> {
  const { Regions: regions = [] } = await aws(context).ec2.describeRegions({});
  return regions.map(({ RegionName }) => RegionName ?? "").toSorted();
}

/**
 * Asks region by region, the provider's own first, until one has an answer: a client token does not say in which region
 * its create was. Regions in which these credentials may not even look are passed over: nothing was made there.
 */
export async function searchRegions<Answer>(
  context: Context,
  find: (cloud: Aws) => Promise<Answer | undefined>,
): Promise<Answer | undefined> {
  const { region: home } = context.client;
  const found = await find(aws(context, home));
  if (found !== undefined) return found;
  const others = (await listRegions(context)).filter((region) => region !== home);
  const answers = await Promise.all(others.map((region) => unlessRefused(find(aws(context, region)))));
  return answers.find((answer) => answer !== undefined);
}

async function unlessRefused<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    const isRefused = error instanceof ProviderFailure && ["forbidden", "unauthorized"].includes(error.class);
    if (isRefused) return undefined;
    throw error;
  }
}
