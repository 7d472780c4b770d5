import type { SecurityGroup } from "@aws-sdk/client-ec2";
import {
  isAlreadyExists,
  notFound,
  ProviderFailure,
  type Json,
  type NotFound,
  type ResourceState,
} from "@wfctl/plugin-sdk";
import { aws, type Aws, type Context } from "../calls.ts";
import { syncTags, tagged } from "../ec2/marked.ts";
import { isAwsError, orAbsent } from "../errors.ts";
import { defaultVpcId, findGroup, findGroupByName, groupsWhere, listRules, namesOfGroups } from "../firewall/groups.ts";
import { fromSdkRule, ruleKey, ruleList, type Rule } from "../firewall/rules.ts";
import {
  firewallInput,
  firewallOutputs,
  optionalFirewallKeys,
  type FirewallInput,
  type FirewallOutputs,
} from "../firewall/schema.ts";
import { deferRules, revoke, syncRules, type DeferredRule } from "../firewall/sync-rules.ts";
import { parseProviderId, toProviderId } from "../ids.ts";
import { managedKeys, managesMark } from "../managed.ts";
import { settleName } from "../naming.ts";
import { creationTags, currentTags, logicalName, nameTag, ownerOf, searchTags, tokenTag } from "../ownership.ts";
import { searchRegions } from "../regions.ts";
import { fromPairs, userTags, toPairs } from "../tags.ts";
import { describeHolders } from "../vpc/holders.ts";
import { awaitThat, retryWhile } from "../waiting.ts";
import { asCreated, defineAwsResource, inputsOf } from "./define.ts";

type State = ResourceState<FirewallInput, FirewallOutputs>;

/** How long interfaces that are going may hold a group that is deleted. */
const holdersMs = 900_000;
const inUse = ["DependencyViolation", "InvalidGroup.InUse"];

/** A security group with its rules. Its id is the group's. */
export const firewall = defineAwsResource<FirewallInput, FirewallOutputs>({
  type: "infra.firewall",
  service: "ec2",
  description: "EC2 security group with its rules both ways",
  input: firewallInput,
  outputs: firewallOutputs,
  forceNew: ["group_name", "description", "vpc_id", "region"],
  resetWhenUnset: [...optionalFirewallKeys],
  unordered: [...optionalFirewallKeys],
  settledBy: { group_name: "group_name", description: "description", vpc_id: "vpc_id" },
  createFirst: true,
  convergentCreate: true,
  settleMs: 30_000,
  timeouts: { create: 600_000, update: 600_000, delete: 1_200_000 },

  async create({ name, input }, context) {
    const cloud = aws(context, input.region);
    const vpcId = input.vpc_id ?? (await defaultVpcId(cloud));
    const names = { chosen: input.group_name, base: name, maxLength: 255, what: "Security group" };
    const settled = await settleName(context, names, async (candidate) => {
      const group = await findGroupByName(cloud, vpcId, candidate);
      return group === undefined ? undefined : { tags: fromPairs(group.Tags), found: group.GroupId ?? "" };
    });
    if (isAlreadyExists(settled)) return settled;
    const id = settled.made ?? (await makeGroup(cloud, vpcId, settled.name, name, input));
    context.partial(toProviderId(id, cloud.region, context.client.region), { group_id: id, vpc_id: vpcId });
    const group = await awaitThat(context, `security group ${id} to be visible`, () => findGroup(cloud, id));
    await sync(cloud, group, name, input);
    return asCreated(await describeNow(cloud, id), settled.made === undefined);
  },

  async read(ref, context) {
    return ref.id === "" ? readByName(ref.name, context) : readGroup(ref.id, context);
  },

  async update(ref, { name, input }, context) {
    const { native, region } = parseProviderId(ref.id, context.client.region);
    const cloud = aws(context, region);
    const group = await findGroup(cloud, native);
    if (group === undefined) return notFound(`Security group "${native}" does not exist`);
    await sync(cloud, group, name, input);
    return describeNow(cloud, native);
  },

  async delete(ref, context) {
    const { native: id, region } = parseProviderId(ref.id, context.client.region);
    const cloud = aws(context, region);
    context.client.deferrals.set(id, undefined);
    await removeReferences(cloud, id);
    try {
      await retryWhile(
        context,
        inUse,
        `security group ${id} to be free`,
        () => orAbsent(cloud.ec2.deleteSecurityGroup({ GroupId: id })),
        { timeoutMs: holdersMs },
      );
    } catch (error) {
      if (!isAwsError(error, ...inUse)) throw error;
      const holders = await describeHolders(cloud, { Name: "group-id", Values: [id] });
      throw new ProviderFailure("validation", `Cannot delete security group "${id}": it is used by ${holders}`, {
        cause: error,
      });
    }
  },

  async lookup({ token }, context) {
    const found = await searchRegions(context, async (cloud) => {
      for await (const group of groupsWhere(cloud, [{ Name: `tag:${tokenTag}`, Values: [token] }])) {
        return describe(cloud, group);
      }
      return undefined;
    });
    return found ?? notFound();
  },

  diff(desired, known, standard) {
    // A firewall may be named or given by its id: the outputs tell which name is which id.
    const ids = (known.outputs["referenced_groups"] ?? {}) as Readonly<Record<string, string>>;
    const changes = standard.changes.filter(({ path }) => {
      if (path !== "ingress_rules" && path !== "egress_rules") return true;
      const wanted = desired.input[path];
      return !sameRules(wanted, inputsOf(known)?.[path], ids);
    });
    return changes.length === standard.changes.length ? standard : { changes };
  },

  import(id, context) {
    const inArn = /^arn:[\w-]+:ec2:([\w-]+):\d+:security-group\/(sg-\w+)$/.exec(id);
    if (inArn !== null) return readGroup(`${inArn[2]}@${inArn[1]}`, context, { all: true });
    return id.startsWith("sg-") ? readGroup(id, context, { all: true }) : readByName(id, context, { all: true });
  },

  async *list(context) {
    const cloud = aws(context);
    for await (const group of groupsWhere(cloud, [])) yield describe(cloud, group, { inputs: false });
  },

  async setMarks(ref, marks, context) {
    const { native, region } = parseProviderId(ref.id, context.client.region);
    const tags = toPairs(marks);
    const answer = await orAbsent(aws(context, region).ec2.createTags({ Resources: [native], Tags: tags }));
    return answer === undefined ? notFound() : undefined;
  },
});

async function makeGroup(
  cloud: Aws,
  vpcId: string,
  groupName: string,
  name: string,
  input: FirewallInput,
): Promise<string> {
  const { ec2, context } = cloud;
  const tags = { Name: name, ...creationTags(context, name, input.tags), ...managesMark(input, optionalFirewallKeys) };
  try {
    const made = await ec2.createSecurityGroup({
      GroupName: groupName,
      Description: input.description ?? `Firewall ${name}`,
      VpcId: vpcId,
      ...tagged("security-group", tags),
    });
    return made.GroupId ?? "";
  } catch (error) {
    // An earlier attempt of this action may have made it after it was looked for.
    const group = isAwsError(error, "InvalidGroup.Duplicate")
      ? await findGroupByName(cloud, vpcId, groupName)
      : undefined;
    if (group?.GroupId === undefined || fromPairs(group.Tags)[tokenTag] !== context.clientToken) throw error;
    return group.GroupId;
  }
}

async function sync(cloud: Aws, group: SecurityGroup, name: string, input: FirewallInput): Promise<void> {
  const { GroupId: id = "", VpcId: vpcId = "" } = group;
  const live = fromPairs(group.Tags);
  const managed = managedKeys(live, optionalFirewallKeys);
  const waiting: DeferredRule[] = [];
  for (const key of optionalFirewallKeys) {
    const wanted = input[key] ?? (managed.includes(key) ? defaultRules(key) : undefined);
    if (wanted !== undefined) waiting.push(...(await syncRules(cloud, { id, vpcId }, key === "egress_rules", wanted)));
  }
  cloud.client.deferrals.set(
    id,
    waiting.length === 0 ? undefined : deferRules(cloud.region, name, { id, vpcId }, waiting),
  );
  await syncTags(cloud, id, live, {
    Name: name,
    ...currentTags(cloud.context, name, input.tags, live),
    ...managesMark(input, optionalFirewallKeys),
  });
}

/** What AWS gives a new group, and what a direction goes back to when the configuration drops it. */
function defaultRules(key: (typeof optionalFirewallKeys)[number]): Rule[] {
  return key === "egress_rules" ? [{ protocol: "all", cidr: "0.0.0.0/0" }] : [];
}

/** Rules of other firewalls of ours that name this group go with it. Those of others hold it. */
async function removeReferences(cloud: Aws, id: string): Promise<void> {
  for (const filter of ["ip-permission.group-id", "egress.ip-permission.group-id"]) {
    for await (const group of groupsWhere(cloud, [{ Name: filter, Values: [id] }])) {
      if (fromPairs(group.Tags)[tokenTag] === undefined || group.GroupId === undefined) continue;
      const rules = (await listRules(cloud, group.GroupId)).filter((each) => each.ReferencedGroupInfo?.GroupId === id);
      await revoke(
        cloud,
        group.GroupId,
        false,
        rules.filter(({ IsEgress }) => IsEgress !== true),
      );
      await revoke(
        cloud,
        group.GroupId,
        true,
        rules.filter(({ IsEgress }) => IsEgress === true),
      );
    }
  }
}

async function readGroup(id: string, context: Context, options: { all?: boolean } = {}): Promise<State | NotFound> {
  const { native, region } = parseProviderId(id, context.client.region);
  const cloud = aws(context, region);
  const group = await findGroup(cloud, native);
  return group === undefined ? notFound() : describe(cloud, group, options);
}

/** By the name that we gave it, else by its own. */
async function readByName(name: string, context: Context, options: { all?: boolean } = {}): Promise<State | NotFound> {
  const cloud = aws(context);
  for (const filter of [`tag:${nameTag}`, "group-name"]) {
    const groups: SecurityGroup[] = [];
    for await (const group of groupsWhere(cloud, [{ Name: filter, Values: [name] }])) groups.push(group);
    const [only] = groups;
    if (groups.length > 1) {
      const ids = groups.map(({ GroupId }) => GroupId).join(", ");
      throw new ProviderFailure(
        "validation",
        `${groups.length} security groups are called "${name}" (${ids}): give the id of the one that is meant`,
      );
    }
    if (only !== undefined) return describe(cloud, only, options);
  }
  return notFound();
}

/** After a write: without inputs, which the input just applied stands in for. */
async function describeNow(cloud: Aws, id: string): Promise<State> {
  const group = await findGroup(cloud, id);
  if (group !== undefined) return describe(cloud, group, { inputs: false });
  throw new ProviderFailure("unknown", `Security group "${id}" was deleted while it was changed`);
}

async function describe(
  cloud: Aws,
  group: SecurityGroup,
  { inputs = true, all = false }: { inputs?: boolean; all?: boolean } = {},
): Promise<State> {
  const { client, context, region } = cloud;
  const { GroupId: id = "", VpcId: vpcId = "", GroupName: groupName = "", Description: description = "" } = group;
  const tags = fromPairs(group.Tags);
  const name = logicalName(tags, groupName);
  const [rules, { accountId, partition }] = await Promise.all([listRules(cloud, id), client.identity(context.signal)]);
  const others = rules
    .map(({ ReferencedGroupInfo }) => ReferencedGroupInfo?.GroupId)
    .filter((other) => other !== undefined);
  const managed = all ? optionalFirewallKeys : managedKeys(tags, optionalFirewallKeys);
  const direction = (isEgress: boolean): Rule[] =>
    rules.filter(({ IsEgress }) => IsEgress === isEgress).map(fromSdkRule);
  return {
    id: toProviderId(id, region, client.region),
    name,
    owner: ownerOf(tags),
    tags: searchTags(tags),
    outputs: {
      group_id: id,
      vpc_id: vpcId,
      arn: `arn:${partition}:ec2:${region}:${accountId}:security-group/${id}`,
      group_name: groupName,
      description,
      region,
      referenced_groups: await namesOfGroups(
        cloud,
        others.filter((other) => other !== id),
      ),
      tags_all: tags,
    },
    ...(inputs
      ? {
          inputs: {
            group_name: groupName,
            description,
            vpc_id: vpcId,
            region,
            ...(managed.includes("ingress_rules") ? { ingress_rules: direction(false) } : {}),
            ...(managed.includes("egress_rules") ? { egress_rules: direction(true) } : {}),
            tags: userTags(tags, { defaults: client.config.default_tags, name }),
          },
        }
      : {}),
  };
}

function sameRules(
  wanted: readonly Rule[] | undefined,
  live: Json | undefined,
  ids: Readonly<Record<string, string>>,
): boolean {
  const parsed = ruleList.safeParse(live);
  if (wanted === undefined || !parsed.success) return false;
  const keyOf = (each: Rule): string => {
    const group = each.group === undefined ? undefined : (ids[each.group] ?? each.group);
    return `${ruleKey({ ...each, group })}|${each.description ?? ""}`;
  };
  const [a, b] = [wanted, parsed.data].map((rules) => rules.map(keyOf).toSorted().join("\n"));
  return a === b;
}
