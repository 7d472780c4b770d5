import type { ResourceState } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { toProviderId } from "../ids.ts";
import { managedKeys } from "../managed.ts";
import { logicalName, ownerOf, searchTags } from "../ownership.ts";
import { fromPairs, userTags } from "../tags.ts";
import { endpointsByKey } from "./endpoints.ts";
import { readFlowLog } from "./flow-logs.ts";
import { natsByKey } from "./gateways.ts";
import { interfacesByKey, readInterface } from "./interface-endpoints.ts";
import { anywhere, defaultTarget, isPublic, ownSubnets, tableOf, type Network } from "./network.ts";
import { furtherRoutes, tablesByKey } from "./routes.ts";
import type { Route, VpcInput, VpcOutputs } from "./schema.ts";

/** Parts of a VPC that are left alone while the configuration does not name them. */
export const optionalVpcKeys = ["routes", "flow_log"] as const;

export function describeVpc(
  cloud: Aws,
  network: Network,
  options: { defaultGroup: string; accountId: string; partition: string; inputs: boolean; all: boolean },
): ResourceState<VpcInput, VpcOutputs> {
  const { client, region } = cloud;
  const { vpc, id } = network;
  const tags = fromPairs(vpc.Tags);
  const name = logicalName(tags, id);
  const subnets = [...namedSubnets(network, options.all)];
  const nats = natsByKey(network.nats, id);
  const gateway = network.gateway?.InternetGatewayId;
  const idsOf = (wanted: boolean): string[] =>
    subnets.filter(([, subnetId]) => isPublic(network, subnetId) === wanted).map(([, subnetId]) => subnetId);
  const zones = network.subnets
    .filter(({ SubnetId }) => subnets.some(([, subnetId]) => subnetId === SubnetId))
    .map(({ AvailabilityZone }) => AvailabilityZone ?? "");
  return {
    id: toProviderId(id, region, client.region),
    name,
    owner: ownerOf(tags),
    tags: searchTags(tags),
    status: vpc.State === "available" ? "running" : "unknown",
    outputs: {
      vpc_id: id,
      arn: `arn:${options.partition}:ec2:${region}:${options.accountId}:vpc/${id}`,
      state: vpc.State ?? "",
      cidr: vpc.CidrBlock ?? "",
      region,
      subnet_ids: Object.fromEntries(subnets),
      public_subnet_ids: idsOf(true),
      private_subnet_ids: idsOf(false),
      availability_zones: [...new Set(zones)].toSorted(),
      ...(gateway === undefined ? {} : { internet_gateway_id: gateway }),
      nat_gateway_ids: [...nats.values()].map(({ NatGatewayId }) => NatGatewayId ?? ""),
      nat_public_ips: network.addresses.map(({ PublicIp }) => PublicIp ?? ""),
      route_table_ids: Object.fromEntries(
        [...tablesByKey(network.tables, id)].map(([key, table]) => [key, table.RouteTableId ?? ""]),
      ),
      endpoint_ids: Object.fromEntries(
        [...endpointsByKey(network.endpoints, id), ...interfacesByKey(network.endpoints, id)].map(([key, endpoint]) => [
          key,
          endpoint.VpcEndpointId ?? "",
        ]),
      ),
      default_security_group_id: options.defaultGroup,
      tags_all: tags,
    },
    ...(options.inputs ? { inputs: liveInputs(cloud, network, options.all) } : {}),
  };
}

/** Name and id of the subnets: ours, and those of others where everything is asked for. */
function* namedSubnets(network: Network, all: boolean): Generator<[string, string]> {
  const own = ownSubnets(network);
  for (const [key, { SubnetId: id = "" }] of own) yield [key, id];
  if (!all) return;
  const known = new Set([...own.values()].map(({ SubnetId }) => SubnetId));
  for (const { SubnetId: id = "", Tags: tags } of network.subnets) {
    if (!known.has(id)) yield [(fromPairs(tags)["Name"] ?? id).replaceAll(/[^\w.-]/g, "-"), id];
  }
}

function liveInputs(cloud: Aws, network: Network, all: boolean): Partial<VpcInput> {
  const { vpc, id } = network;
  const tags = fromPairs(vpc.Tags);
  const name = logicalName(tags, id);
  const defaults = cloud.client.config.default_tags;
  const blocks = (vpc.CidrBlockAssociationSet ?? []).flatMap(({ CidrBlock: block, CidrBlockState: state }) =>
    block === undefined || block === vpc.CidrBlock || state?.State?.startsWith("dis") === true ? [] : [block],
  );
  const subnets = Object.fromEntries(
    [...namedSubnets(network, all)].map(([key, subnetId]) => {
      const subnet = network.subnets.find(({ SubnetId }) => SubnetId === subnetId);
      const isOpen = isPublic(network, subnetId);
      const mapsPublic = subnet?.MapPublicIpOnLaunch ?? false;
      return [
        key,
        {
          cidr: subnet?.CidrBlock ?? "",
          zone: subnet?.AvailabilityZone ?? "",
          public: isOpen,
          map_public_ip: mapsPublic,
          tags: userTags(fromPairs(subnet?.Tags), { defaults, name: `${name}-${key}` }),
        },
      ] as const;
    }),
  );
  const nat = natMode(network);
  const managed = all || managedKeys(tags, optionalVpcKeys).includes("routes");
  const [flowLog] = network.flowLogs;
  return {
    cidr: vpc.CidrBlock ?? "",
    region: cloud.region,
    secondary_cidrs: blocks,
    enable_dns_support: network.dnsSupport,
    enable_dns_hostnames: network.dnsHostnames,
    instance_tenancy: vpc.InstanceTenancy === "dedicated" ? "dedicated" : "default",
    subnets,
    internet_gateway: network.gateway?.Attachments?.some(({ VpcId }) => VpcId === id) === true,
    ...(nat === undefined ? {} : { nat_gateways: nat }),
    ...(managed ? { routes: liveRoutes(network) } : {}),
    ...(flowLog === undefined ? {} : { flow_log: readFlowLog(flowLog) }),
    gateway_endpoints: [...endpointsByKey(network.endpoints, id).keys()] as VpcInput["gateway_endpoints"],
    interface_endpoints: Object.fromEntries(
      [...interfacesByKey(network.endpoints, id)].map(([key, endpoint]) => [key, readInterface(endpoint, network)]),
    ),
    tags: userTags(tags, { defaults, name }),
  };
}

/** What the NAT gateways amount to; undefined where they are neither of the modes, because something is missing. */
function natMode(network: Network): VpcInput["nat_gateways"] | undefined {
  const nats = natsByKey(network.nats, network.id);
  if (nats.size === 0) return network.addresses.length === 0 ? "none" : undefined;
  if ([...nats.values()].some(({ State }) => State === "failed")) return undefined;
  const privates = [...ownSubnets(network).values()].filter(({ SubnetId: id = "" }) => !isPublic(network, id));
  const leadsTo = (key: string) => nats.get(key)?.NatGatewayId;
  const targets = privates.map(({ SubnetId: id = "", AvailabilityZone: zone = "" }) => ({
    zone,
    target: defaultTarget(tableOf(network, id)),
  }));
  if (nats.has("single")) {
    return nats.size === 1 && targets.every(({ target }) => target === leadsTo("single")) ? "single" : undefined;
  }
  const zones = new Set(targets.map(({ zone }) => zone));
  const isWhole =
    zones.size === nats.size && targets.every(({ zone, target }) => target !== undefined && target === leadsTo(zone));
  return isWhole ? "per_zone" : undefined;
}

/** Further routes, each once for its kind of table. */
function liveRoutes(network: Network): Route[] {
  const seen = new Map<string, Route>();
  for (const [key, table] of tablesByKey(network.tables, network.id)) {
    const kind = key === "public" ? "public" : "private";
    for (const route of furtherRoutes(table)) {
      seen.set(`${kind} ${route.destination}`, { table: kind, ...route });
    }
  }
  return [...seen.values()].filter(({ destination }) => destination !== anywhere);
}
