import type { Aws } from "../calls.ts";
import { syncTags } from "../ec2/marked.ts";
import { orAbsent } from "../errors.ts";
import { managedKeys, managesMark } from "../managed.ts";
import { currentTags } from "../ownership.ts";
import { fromPairs } from "../tags.ts";
import { awaitThat } from "../waiting.ts";
import { optionalVpcKeys } from "./describe.ts";
import { removeEndpoints, syncEndpoints } from "./endpoints.ts";
import { syncFlowLog } from "./flow-logs.ts";
import {
  ensureInternetGateway,
  ensureNats,
  natsByKey,
  removeInternetGateway,
  removeNat,
  removeNats,
} from "./gateways.ts";
import { leaveSubnet, removeInterfaces, syncInterfaces } from "./interface-endpoints.ts";
import { findVpc, observeNetwork, type Network } from "./network.ts";
import { planTables, removeTables, syncRoutes } from "./routes.ts";
import type { VpcInput } from "./schema.ts";
import { deleteSubnet, subnetsToReplace, syncSubnets } from "./subnets.ts";

/**
 * Brings everything of a VPC to what is wanted, from whatever is there: half of a create, drift, or the old configuration.
 * What is needed is made before what is not is taken away.
 */
export async function syncNetwork(cloud: Aws, before: Network, name: string, input: VpcInput): Promise<void> {
  const { id } = before;
  await syncAttributes(cloud, before, input);
  await addRanges(cloud, before, input);
  // A subnet whose range or zone changes is in the way of its successor.
  for (const { subnet, wanted } of subnetsToReplace(before, input)) {
    if (wanted) await retireSubnet(cloud, before, subnet.SubnetId ?? "");
  }
  const network = (await observeNetwork(cloud, id)) ?? before;
  await syncSubnets(cloud, network, name, input);
  const wantsGateway = input.internet_gateway ?? Object.values(input.subnets).some((subnet) => subnet.public);
  const gateway = wantsGateway ? await ensureInternetGateway(cloud, id, name, input) : undefined;
  const nats = await ensureNats(cloud, network, name, input);
  const tags = fromPairs(before.vpc.Tags);
  const managed = input.routes !== undefined || managedKeys(tags, optionalVpcKeys).includes("routes");
  await syncRoutes(cloud, network, name, input, { gateway, nats, managed });
  await syncEndpoints(cloud, id, name, input);
  await syncInterfaces(cloud, id, name, input);
  await syncFlowLog(cloud, id, name, input);

  await removeEndpoints(cloud, id, input.gateway_endpoints);
  await removeInterfaces(cloud, id, Object.keys(input.interface_endpoints));
  await removeNats(cloud, id, nats);
  for (const { subnet, wanted } of subnetsToReplace(network, input)) {
    if (!wanted) await retireSubnet(cloud, network, subnet.SubnetId ?? "");
  }
  const tables = await planTables(cloud, id, input, { gateway, nats });
  await removeTables(cloud, id, new Set(tables.map(({ key }) => key)));
  if (!wantsGateway) await removeInternetGateway(cloud, id);
  await removeRanges(cloud, before, input);
  // Last: while they are not written, the mark of what is managed still says what there may be to take away.
  const wanted = {
    Name: name,
    ...currentTags(cloud.context, name, input.tags, tags),
    ...managesMark(input, optionalVpcKeys),
  };
  await syncTags(cloud, id, tags, wanted);
}

async function syncAttributes({ ec2 }: Aws, network: Network, input: VpcInput): Promise<void> {
  const { enable_dns_support: support, enable_dns_hostnames: hostnames } = input;
  const VpcId = network.id;
  // Host names need support: it is switched on first and off last.
  if (support === true && !network.dnsSupport) {
    await ec2.modifyVpcAttribute({ VpcId, EnableDnsSupport: { Value: true } });
  }
  if (hostnames !== undefined && hostnames !== network.dnsHostnames) {
    await ec2.modifyVpcAttribute({ VpcId, EnableDnsHostnames: { Value: hostnames } });
  }
  if (support === false && network.dnsSupport) {
    await ec2.modifyVpcAttribute({ VpcId, EnableDnsSupport: { Value: false } });
  }
}

const isGoing = (state: string | undefined): boolean => state?.startsWith("dis") === true || state === "failed";

async function addRanges(cloud: Aws, network: Network, input: VpcInput): Promise<void> {
  const live = (network.vpc.CidrBlockAssociationSet ?? []).filter(
    ({ CidrBlockState }) => !isGoing(CidrBlockState?.State),
  );
  for (const range of input.secondary_cidrs) {
    if (live.some(({ CidrBlock }) => CidrBlock === range)) continue;
    await cloud.ec2.associateVpcCidrBlock({ VpcId: network.id, CidrBlock: range });
    await awaitThat(cloud.context, `range ${range} to be associated`, async () => {
      const vpc = await findVpc(cloud, network.id);
      const found = vpc?.CidrBlockAssociationSet?.find(({ CidrBlock }) => CidrBlock === range);
      return found?.CidrBlockState?.State === "associated" ? true : undefined;
    });
  }
}

async function removeRanges({ ec2 }: Aws, { vpc }: Network, input: VpcInput): Promise<void> {
  for (const { CidrBlock: range = "", AssociationId: id = "", CidrBlockState: state } of vpc.CidrBlockAssociationSet ??
    []) {
    if (range === vpc.CidrBlock || input.secondary_cidrs.includes(range) || isGoing(state?.State)) continue;
    await orAbsent(ec2.disassociateVpcCidrBlock({ AssociationId: id }));
  }
}

async function retireSubnet(cloud: Aws, network: Network, subnetId: string): Promise<void> {
  const own = [...natsByKey(network.nats, network.id).values()];
  for (const nat of own.filter(({ SubnetId }) => SubnetId === subnetId)) await removeNat(cloud, nat);
  await leaveSubnet(cloud, network.id, subnetId);
  await deleteSubnet(cloud, subnetId);
}
