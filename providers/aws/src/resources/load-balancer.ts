import type { LoadBalancer } from "@aws-sdk/client-elastic-load-balancing-v2";
import { isAlreadyExists, notFound, ProviderFailure, type NotFound, type ResourceState } from "@wfctl/plugin-sdk";
import { aws, type Aws, type Context } from "../calls.ts";
import { balancerAttributes, readAttributes, syncAttributes } from "../elb/attributes.ts";
import { listListeners, readListener, removeListeners, syncListeners } from "../elb/listeners.ts";
import {
  balancerInput,
  balancerOutputs,
  optionalBalancerKeys,
  type BalancerInput,
  type BalancerOutputs,
} from "../elb/schema.ts";
import { syncTags, tagsByArn } from "../elb/tags.ts";
import { ensureGroups, ownGroups, readGroup, removeGroups } from "../elb/target-groups.ts";
import { orAbsent } from "../errors.ts";
import { parseArn } from "../ids.ts";
import { managedKeys, managesMark } from "../managed.ts";
import { settleName } from "../naming.ts";
import { creationTags, currentTags, logicalName, ownerOf, searchTags, tokenTag } from "../ownership.ts";
import { chunk, collect } from "../paging.ts";
import { searchRegions } from "../regions.ts";
import { toPairs, userTags, type Tags } from "../tags.ts";
import { awaitThat } from "../waiting.ts";
import { asCreated, defineAwsResource } from "./define.ts";

type State = ResourceState<BalancerInput, BalancerOutputs>;

const maxNameLength = 32;

/** An application or network load balancer with its target groups, listeners and rules. Its id is its ARN. */
export const loadBalancer = defineAwsResource<BalancerInput, BalancerOutputs>({
  type: "infra.load_balancer",
  service: "elbv2",
  description: "Application or network load balancer with listeners and target groups",
  input: balancerInput,
  outputs: balancerOutputs,
  forceNew: ["load_balancer_name", "region", "scheme", "type"],
  resetWhenUnset: [...optionalBalancerKeys],
  unordered: ["subnet_ids", "security_group_ids", "listeners"],
  settledBy: { load_balancer_name: "name", security_group_ids: "security_group_ids" },
  createFirst: true,
  convergentCreate: true,
  settleMs: 20_000,
  timeouts: { create: 900_000, update: 900_000, delete: 900_000 },
  tier: 2,

  async create({ name, input }, context) {
    const cloud = aws(context, input.region);
    const base = name.replaceAll(/[^a-zA-Z0-9-]+/g, "-").replaceAll(/^-+|-+$/g, "");
    const names = { chosen: input.load_balancer_name, base, maxLength: maxNameLength, what: "Load balancer" };
    const settled = await settleName(context, names, async (candidate) => {
      const found = await findByName(cloud, candidate);
      if (found === undefined) return undefined;
      const arn = found.LoadBalancerArn ?? "";
      return { tags: (await tagsByArn(cloud, [arn])).get(arn) ?? {}, found: arn };
    });
    if (isAlreadyExists(settled)) return settled;
    const arn = settled.made ?? (await makeBalancer(cloud, settled.name, name, input));
    context.partial(arn, { arn, name: settled.name });
    await sync(cloud, await awaitActive(cloud, arn), name, input);
    return asCreated(await describeNow(cloud, arn), settled.made === undefined);
  },

  async read(ref, context) {
    if (ref.id === "") return readByName(ref.name, context);
    return readByArn(ref.id, context);
  },

  async update(ref, { name, input }, context) {
    const cloud = aws(context, parseArn(ref.id)?.region);
    const found = await findByArn(cloud, ref.id);
    if (found === undefined) return notFound(`Load balancer "${ref.id}" does not exist`);
    await sync(cloud, await awaitActive(cloud, ref.id), name, input);
    return describeNow(cloud, ref.id);
  },

  async delete(ref, context) {
    const cloud = aws(context, parseArn(ref.id)?.region);
    if ((await findByArn(cloud, ref.id)) === undefined) return;
    if ((await balancerAttributes(cloud, ref.id))["deletion_protection.enabled"] === "true") {
      throw new ProviderFailure(
        "validation",
        `Cannot delete load balancer "${ref.id}": it is protected; apply deletion_protection: false first`,
      );
    }
    // The load balancer goes last: while it is there, what is left of a delete that was cut off can be found.
    await removeListeners(cloud, ref.id);
    await removeGroups(cloud, ref.id, new Set());
    await orAbsent(cloud.elbv2.deleteLoadBalancer({ LoadBalancerArn: ref.id }));
    await awaitThat(context, `load balancer ${ref.id} to be deleted`, async () =>
      (await findByArn(cloud, ref.id)) === undefined ? true : undefined,
    );
  },

  async lookup({ token }, context) {
    const found = await searchRegions(context, async (cloud) => {
      for (const { balancer, tags } of await balancers(cloud)) {
        if (tags[tokenTag] === token) return describe(cloud, balancer, {});
      }
      return undefined;
    });
    return found ?? notFound();
  },

  import(id, context) {
    return id.startsWith("arn:") ? readByArn(id, context, { all: true }) : readByName(id, context, { all: true });
  },

  async *list(context) {
    const cloud = aws(context);
    for (const { balancer } of await balancers(cloud)) yield describe(cloud, balancer, { inputs: false });
  },

  async setMarks(ref, marks, context) {
    const cloud = aws(context, parseArn(ref.id)?.region);
    const tags = toPairs(marks);
    const answer = await orAbsent(cloud.elbv2.addTags({ ResourceArns: [ref.id], Tags: tags }));
    return answer === undefined ? notFound() : undefined;
  },
});

async function findByName({ elbv2 }: Aws, name: string): Promise<LoadBalancer | undefined> {
  return (await orAbsent(elbv2.describeLoadBalancers({ Names: [name] })))?.LoadBalancers?.[0];
}

async function findByArn({ elbv2 }: Aws, arn: string): Promise<LoadBalancer | undefined> {
  return (await orAbsent(elbv2.describeLoadBalancers({ LoadBalancerArns: [arn] })))?.LoadBalancers?.[0];
}

async function makeBalancer(cloud: Aws, physical: string, name: string, input: BalancerInput): Promise<string> {
  const { elbv2, context } = cloud;
  const tags = { ...creationTags(context, name, input.tags), ...managesMark(input, optionalBalancerKeys) };
  // The same name with the same settings gives the load balancer that is there.
  const { LoadBalancers: made = [] } = await elbv2.createLoadBalancer({
    Name: physical,
    Type: input.type,
    Scheme: input.scheme,
    Subnets: input.subnet_ids,
    ...(input.security_group_ids === undefined ? {} : { SecurityGroups: input.security_group_ids }),
    IpAddressType: input.ip_address_type,
    Tags: toPairs(tags),
  });
  return made[0]?.LoadBalancerArn ?? "";
}

async function awaitActive(cloud: Aws, arn: string): Promise<LoadBalancer> {
  return awaitThat(cloud.context, `load balancer ${arn.split("/").at(-2)} to be active`, async () => {
    const found = await findByArn(cloud, arn);
    if (found?.State?.Code === "failed") {
      throw new ProviderFailure("unknown", `Load balancer "${arn}" failed: ${found.State.Reason ?? "no reason given"}`);
    }
    return found?.State?.Code === "provisioning" ? undefined : found;
  });
}

async function sync(cloud: Aws, balancer: LoadBalancer, name: string, input: BalancerInput): Promise<void> {
  const { elbv2, context } = cloud;
  const { LoadBalancerArn: arn = "" } = balancer;
  const live: Tags = (await tagsByArn(cloud, [arn])).get(arn) ?? {};
  const subnets = (balancer.AvailabilityZones ?? []).map(({ SubnetId }) => SubnetId ?? "");
  if (!sameSet(subnets, input.subnet_ids)) await elbv2.setSubnets({ LoadBalancerArn: arn, Subnets: input.subnet_ids });
  const { security_group_ids: groups } = input;
  if (groups !== undefined && !sameSet(balancer.SecurityGroups ?? [], groups)) {
    await elbv2.setSecurityGroups({ LoadBalancerArn: arn, SecurityGroups: groups });
  }
  if ((balancer.IpAddressType ?? "ipv4") !== input.ip_address_type) {
    await elbv2.setIpAddressType({ LoadBalancerArn: arn, IpAddressType: input.ip_address_type });
  }
  await syncAttributes(cloud, arn, input, managedKeys(live, optionalBalancerKeys).includes("access_logs"));
  const arns = await ensureGroups(cloud, balancer, name, input);
  await syncListeners(cloud, { arn, name, tags: input.tags, groups: arns }, input.listeners);
  await removeGroups(cloud, arn, new Set(arns.values()));
  const wanted = { ...currentTags(context, name, input.tags, live), ...managesMark(input, optionalBalancerKeys) };
  await syncTags(cloud, arn, live, wanted);
}

async function balancers(cloud: Aws): Promise<{ balancer: LoadBalancer; tags: Tags }[]> {
  const all = await collect(async (marker) => {
    const page = await cloud.elbv2.describeLoadBalancers(marker === undefined ? {} : { Marker: marker });
    return [page.LoadBalancers, page.NextMarker] as const;
  });
  const own = all.filter(({ Type }) => Type !== "gateway");
  const tags = new Map<string, Tags>();
  for (const some of chunk(own, 20)) {
    const found = await tagsByArn(
      cloud,
      some.map(({ LoadBalancerArn }) => LoadBalancerArn ?? ""),
    );
    for (const [arn, each] of found) tags.set(arn, each);
  }
  return own.map((balancer) => ({ balancer, tags: tags.get(balancer.LoadBalancerArn ?? "") ?? {} }));
}

async function readByArn(arn: string, context: Context, options: { all?: boolean } = {}): Promise<State | NotFound> {
  const cloud = aws(context, parseArn(arn)?.region);
  const found = await findByArn(cloud, arn);
  return found === undefined ? notFound() : describe(cloud, found, options);
}

async function readByName(name: string, context: Context, options: { all?: boolean } = {}): Promise<State | NotFound> {
  const cloud = aws(context);
  const found = await findByName(cloud, name);
  return found === undefined ? notFound() : describe(cloud, found, options);
}

/** After a write: without inputs, which the input just applied stands in for. */
async function describeNow(cloud: Aws, arn: string): Promise<State> {
  const found = await findByArn(cloud, arn);
  if (found !== undefined) return describe(cloud, found, { inputs: false });
  throw new ProviderFailure("unknown", `Load balancer "${arn}" was deleted while it was changed`);
}

async function describe(
  cloud: Aws,
  balancer: LoadBalancer,
  { inputs: withInputs = true, all = false }: { inputs?: boolean; all?: boolean },
): Promise<State> {
  const { region, client } = cloud;
  const { LoadBalancerArn: arn = "", LoadBalancerName: name = "", DNSName: dnsName = "" } = balancer;
  const [tags = {}, groups, listeners] = await Promise.all([
    tagsByArn(cloud, [arn]).then((found) => found.get(arn)),
    ownGroups(cloud, arn),
    listListeners(cloud, arn),
  ]);
  const names = new Map(groups.map((group) => [group.arn, group.name]));
  const type = balancer.Type === "network" ? "network" : "application";
  const state = balancer.State?.Code;
  return {
    id: arn,
    name: logicalName(tags, name),
    owner: ownerOf(tags),
    tags: searchTags(tags),
    status: state === "active" ? "running" : state === "active_impaired" ? "degraded" : "unknown",
    outputs: {
      arn,
      name,
      scheme: balancer.Scheme ?? "",
      type,
      dns_name: dnsName,
      endpoint: dnsName,
      zone_id: balancer.CanonicalHostedZoneId ?? "",
      vpc_id: balancer.VpcId ?? "",
      region,
      security_group_ids: balancer.SecurityGroups ?? [],
      target_group_arns: Object.fromEntries(groups.map((group) => [group.name, group.arn])),
      listener_arns: Object.fromEntries(listeners.map(({ Port, ListenerArn }) => [String(Port), ListenerArn ?? ""])),
      tags_all: tags,
    },
    ...(withInputs ? { inputs: await readInputs() } : {}),
  };

  async function readInputs(): Promise<Partial<BalancerInput>> {
    const managed = all || managedKeys(tags, optionalBalancerKeys).includes("access_logs");
    const [attributes, groupInputs, listenerInputs] = await Promise.all([
      balancerAttributes(cloud, arn),
      Promise.all(groups.map(async (group) => [group.name, await readGroup(cloud, group, true)] as const)),
      Promise.all(listeners.map((listener) => readListener(cloud, listener, names))),
    ]);
    return {
      load_balancer_name: name,
      region,
      scheme: balancer.Scheme === "internal" ? "internal" : "internet-facing",
      type,
      subnet_ids: (balancer.AvailabilityZones ?? []).map(({ SubnetId }) => SubnetId ?? ""),
      security_group_ids: balancer.SecurityGroups ?? [],
      ip_address_type: balancer.IpAddressType === "dualstack" ? "dualstack" : "ipv4",
      ...readAttributes(attributes, type, managed),
      target_groups: Object.fromEntries(groupInputs),
      listeners: listenerInputs.toSorted((a, b) => a.port - b.port),
      tags: userTags(tags, { defaults: client.config.default_tags }),
    };
  }
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each) => b.includes(each));
}
