import type { Vpc } from "@aws-sdk/client-ec2";
import { notFound, ProviderFailure, type NotFound, type ResourceState } from "@wfctl/plugin-sdk";
import { aws, type Aws, type Context } from "../calls.ts";
import { tagged, withTag } from "../ec2/marked.ts";
import { makeMarked } from "../marked.ts";
import { isAwsError, orAbsent } from "../errors.ts";
import { parseProviderId, toProviderId } from "../ids.ts";
import { isSame } from "../json.ts";
import { managesMark } from "../managed.ts";
import { creationTags, nameTag, tokenTag } from "../ownership.ts";
import { each } from "../paging.ts";
import { searchRegions } from "../regions.ts";
import { toPairs } from "../tags.ts";
import { awaitThat, retryWhile } from "../waiting.ts";
import { describeVpc, optionalVpcKeys } from "../vpc/describe.ts";
import { removeEndpoints } from "../vpc/endpoints.ts";
import { removeFlowLogs } from "../vpc/flow-logs.ts";
import { removeInternetGateway, removeNats } from "../vpc/gateways.ts";
import { describeHolders } from "../vpc/holders.ts";
import { removeInterfaces } from "../vpc/interface-endpoints.ts";
import { listSubnets, observeNetwork, ownSubnets } from "../vpc/network.ts";
import { removeTables } from "../vpc/routes.ts";
import { vpcInput, vpcOutputs, type VpcInput, type VpcOutputs } from "../vpc/schema.ts";
import { deleteSubnet, isZone } from "../vpc/subnets.ts";
import { syncNetwork } from "../vpc/sync.ts";
import { asCreated, defineAwsResource } from "./define.ts";

type State = ResourceState<VpcInput, VpcOutputs>;

/** How long things that are going may still be in a VPC that is deleted. */
const holdersMs = 900_000;

/** A VPC with its subnets, gateways and routes. Its id is the VPC's. */
export const vpc = defineAwsResource<VpcInput, VpcOutputs>({
  type: "infra.vpc",
  service: "ec2",
  description: "VPC with subnets, internet and NAT gateways, and routes",
  input: vpcInput,
  outputs: vpcOutputs,
  forceNew: ["cidr", "region", "instance_tenancy"],
  resetWhenUnset: [...optionalVpcKeys],
  unordered: ["secondary_cidrs", "routes", "gateway_endpoints"],
  createFirst: true,
  convergentCreate: true,
  settleMs: 30_000,
  timeouts: { create: 1_200_000, update: 1_800_000, delete: 1_800_000 },

  async create({ name, input }, context) {
    const cloud = aws(context, input.region);
    const tags = { Name: name, ...creationTags(context, name, input.tags), ...managesMark(input, optionalVpcKeys) };
    const { id, isNew } = await makeMarked(cloud, "the VPC", {
      find: () => findByTag(cloud, tokenTag, context.clientToken),
      async make() {
        const request = { CidrBlock: input.cidr, InstanceTenancy: input.instance_tenancy, ...tagged("vpc", tags) };
        return (await cloud.ec2.createVpc(request)).Vpc?.VpcId ?? "";
      },
      remove: (other) => cloud.ec2.deleteVpc({ VpcId: other }),
    });
    context.partial(toProviderId(id, cloud.region, context.client.region), { vpc_id: id });
    const network = await awaitThat(context, `VPC ${id} to be available`, async () => {
      const seen = await observeNetwork(cloud, id);
      return seen?.vpc.State === "available" ? seen : undefined;
    });
    await syncNetwork(cloud, network, name, input);
    return asCreated(await describeNow(cloud, id), isNew);
  },

  async read(ref, context) {
    return ref.id === "" ? readByName(ref.name, context) : readVpc(ref.id, context);
  },

  async update(ref, { name, input }, context) {
    const { native, region } = parseProviderId(ref.id, context.client.region);
    const cloud = aws(context, region);
    const network = await observeNetwork(cloud, native);
    if (network === undefined) return notFound(`VPC "${native}" does not exist`);
    await syncNetwork(cloud, network, name, input);
    return describeNow(cloud, native);
  },

  async delete(ref, context) {
    const { native: id, region } = parseProviderId(ref.id, context.client.region);
    const cloud = aws(context, region);
    // Parts that carry no VPC, such as addresses, may be left where the VPC itself is gone.
    await removeFlowLogs(cloud, id, undefined);
    await removeEndpoints(cloud, id, []);
    await removeInterfaces(cloud, id, []);
    await removeNats(cloud, id, new Map());
    await removeInternetGateway(cloud, id);
    const subnets = ownSubnets({ id, subnets: await listSubnets(cloud, id) });
    for (const { SubnetId: subnetId = "" } of subnets.values()) await deleteSubnet(cloud, subnetId);
    await removeTables(cloud, id, new Set());
    await deleteVpc(cloud, id);
  },

  async lookup({ token }, context) {
    const found = await searchRegions(context, async (cloud) => {
      const [id] = await findByTag(cloud, tokenTag, token);
      return id === undefined ? undefined : describe(cloud, id, {});
    });
    return found ?? notFound();
  },

  diff(_desired, _known, standard) {
    // The letter of a zone is no change.
    const changes = standard.changes.filter(({ path, old, new: wanted }) => {
      // These are sets.
      const isSet = /^interface_endpoints\..+\.(?:subnets|security_group_ids)$/.test(path);
      if (isSet && Array.isArray(old) && Array.isArray(wanted)) return !isSame(old.toSorted(), wanted.toSorted());
      const isZonePath = /^subnets\..+\.zone$/.test(path);
      return !(isZonePath && typeof old === "string" && typeof wanted === "string" && isZone(wanted, old));
    });
    return changes.length === standard.changes.length ? standard : { changes };
  },

  import(id, context) {
    const inArn = /^arn:[\w-]+:ec2:([\w-]+):\d+:vpc\/(vpc-\w+)$/.exec(id);
    if (inArn !== null) return readVpc(`${inArn[2]}@${inArn[1]}`, context, { all: true });
    return id.startsWith("vpc-") ? readVpc(id, context, { all: true }) : readByName(id, context, { all: true });
  },

  async *list(context) {
    const cloud = aws(context);
    for await (const { VpcId: id = "" } of vpcs(cloud)) {
      const state = await describe(cloud, id, { inputs: false });
      if (!("notFound" in state)) yield state;
    }
  },

  async setMarks(ref, marks, context) {
    const { native, region } = parseProviderId(ref.id, context.client.region);
    const tags = toPairs(marks);
    const answer = await orAbsent(aws(context, region).ec2.createTags({ Resources: [native], Tags: tags }));
    return answer === undefined ? notFound() : undefined;
  },
});

async function deleteVpc(cloud: Aws, id: string): Promise<void> {
  const { ec2, context } = cloud;
  try {
    await retryWhile(
      context,
      ["DependencyViolation"],
      `VPC ${id} to be empty`,
      () => orAbsent(ec2.deleteVpc({ VpcId: id })),
      { timeoutMs: holdersMs },
    );
  } catch (error) {
    if (!isAwsError(error, "DependencyViolation")) throw error;
    const holders = await describeHolders(cloud, { Name: "vpc-id", Values: [id] });
    throw new ProviderFailure("validation", `Cannot delete VPC "${id}": it still holds ${holders}`, { cause: error });
  }
}

function vpcs({ ec2 }: Aws, filters: { Name: string; Values: string[] }[] = []): AsyncGenerator<Vpc> {
  return each(async (token) => {
    const page = await ec2.describeVpcs({
      ...(filters.length === 0 ? {} : { Filters: filters }),
      ...(token === undefined ? {} : { NextToken: token }),
    });
    return [page.Vpcs, page.NextToken] as const;
  });
}

async function findByTag(cloud: Aws, tag: string, value: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { VpcId: id } of vpcs(cloud, [withTag(tag, value)])) ids.push(id ?? "");
  return ids;
}

async function readVpc(id: string, context: Context, options: { all?: boolean } = {}): Promise<State | NotFound> {
  const { native, region } = parseProviderId(id, context.client.region);
  return describe(aws(context, region), native, options);
}

/** By the name that we gave it, else by its `Name`. */
async function readByName(name: string, context: Context, options: { all?: boolean } = {}): Promise<State | NotFound> {
  const cloud = aws(context);
  const own = await findByTag(cloud, nameTag, name);
  const ids = own.length > 0 ? own : await findByTag(cloud, "Name", name);
  if (ids.length > 1) {
    throw new ProviderFailure(
      "validation",
      `${ids.length} VPCs are called "${name}" (${ids.join(", ")}): give the id of the one that is meant`,
    );
  }
  const [id] = ids;
  return id === undefined ? notFound() : describe(cloud, id, options);
}

/** After a write: without inputs, which the input just applied stands in for. */
async function describeNow(cloud: Aws, id: string): Promise<State> {
  const state = await describe(cloud, id, { inputs: false });
  if ("notFound" in state) throw new ProviderFailure("unknown", `VPC "${id}" was deleted while it was changed`);
  return state;
}

async function describe(
  cloud: Aws,
  id: string,
  { inputs = true, all = false }: { inputs?: boolean; all?: boolean },
): Promise<State | NotFound> {
  const { ec2, client, context } = cloud;
  const network = await observeNetwork(cloud, id);
  if (network === undefined) return notFound();
  const filters = [
    { Name: "vpc-id", Values: [id] },
    { Name: "group-name", Values: ["default"] },
  ];
  const [groups, { accountId, partition }] = await Promise.all([
    ec2.describeSecurityGroups({ Filters: filters }),
    client.identity(context.signal),
  ]);
  const defaultGroup = groups.SecurityGroups?.[0]?.GroupId ?? "";
  return describeVpc(cloud, network, { defaultGroup, accountId, partition, inputs, all });
}
