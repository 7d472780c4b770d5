import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { chunk } from "../paging.ts";
import { fromPairs, tagChanges, toPairs, type Tags } from "../tags.ts";

/** Tags of load balancers, target groups, listeners or rules, by ARN. Those that are gone are left out. */
export async function tagsByArn({ elbv2 }: Aws, arns: readonly string[]): Promise<Map<string, Tags>> {
  const tags = new Map<string, Tags>();
  for (const some of chunk(arns, 20)) {
    const answer = await orAbsent(elbv2.describeTags({ ResourceArns: some }));
    for (const { ResourceArn: arn = "", Tags: pairs } of answer?.TagDescriptions ?? []) tags.set(arn, fromPairs(pairs));
  }
  return tags;
}

export async function syncTags({ elbv2 }: Aws, arn: string, live: Tags, wanted: Tags): Promise<void> {
  const { set, remove } = tagChanges(live, wanted);
  if (Object.keys(set).length > 0) await elbv2.addTags({ ResourceArns: [arn], Tags: toPairs(set) });
  if (remove.length > 0) await elbv2.removeTags({ ResourceArns: [arn], TagKeys: remove });
}
