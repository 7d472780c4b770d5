import type {
  Address,
  FlowLog,
  InternetGateway,
  NatGateway,
  RouteTable,
  Subnet,
  Vpc,
  VpcEndpoint,
} from "@aws-sdk/client-ec2";
import type { Aws } from "../calls.ts";
import { partOf, withTag } from "../ec2/marked.ts";
import { orAbsent } from "../errors.ts";
import { partOfTag } from "../ownership.ts";
import { collect } from "../paging.ts";
import { ownFlowLogs } from "./flow-logs.ts";

/** Everything of a VPC that the driver looks after, as it is now. */
export interface Network {
  readonly vpc: Vpc;
  readonly id: string;
  readonly dnsSupport: boolean;
  readonly dnsHostnames: boolean;
  readonly subnets: readonly Subnet[];
  readonly gateway: InternetGateway | undefined;
  /** Without those that are gone or going. */
  readonly nats: readonly NatGateway[];
  readonly addresses: readonly Address[];
  readonly tables: readonly RouteTable[];
  readonly endpoints: readonly VpcEndpoint[];
  /** Those of ours. */
  readonly flowLogs: readonly FlowLog[];
}

export async function findVpc({ ec2 }: Aws, id: string): Promise<Vpc | undefined> {
  const answer = await orAbsent(ec2.describeVpcs({ VpcIds: [id] }));
  return answer?.Vpcs?.[0];
}

export async function observeNetwork(cloud: Aws, id: string): Promise<Network | undefined> {
  const { ec2 } = cloud;
  const vpc = await findVpc(cloud, id);
  if (vpc === undefined) return undefined;
  const [support, hostnames, subnets, gateway, nats, addresses, tables, endpoints, flowLogs] = await Promise.all([
    ec2.describeVpcAttribute({ VpcId: id, Attribute: "enableDnsSupport" }),
    ec2.describeVpcAttribute({ VpcId: id, Attribute: "enableDnsHostnames" }),
    listSubnets(cloud, id),
    findGateway(cloud, id),
    listNats(cloud, id),
    listAddresses(cloud, id),
    listTables(cloud, id),
    listEndpoints(cloud, id),
    ownFlowLogs(cloud, id),
  ]);
  return {
    vpc,
    id,
    dnsSupport: support.EnableDnsSupport?.Value ?? false,
    dnsHostnames: hostnames.EnableDnsHostnames?.Value ?? false,
    subnets,
    gateway,
    nats,
    addresses,
    tables,
    endpoints,
    flowLogs,
  };
}

const ofVpc = (id: string) => ({ Filters: [{ Name: "vpc-id", Values: [id] }] });
const next = (token: string | undefined) => (token === undefined ? {} : { NextToken: token });

export function listSubnets({ ec2 }: Aws, id: string): Promise<Subnet[]> {
  return collect(async (token) => {
    const page = await ec2.describeSubnets({ ...ofVpc(id), ...next(token) });
    return [page.Subnets, page.NextToken] as const;
  });
}

/** The gateway that is attached, else one of ours that is about to be. */
export async function findGateway(cloud: Aws, id: string): Promise<InternetGateway | undefined> {
  const [attached] = await listGateways(cloud, { Name: "attachment.vpc-id", Values: [id] });
  return attached ?? (await listGateways(cloud, withTag(partOfTag, id)))[0];
}

export function listGateways({ ec2 }: Aws, filter: { Name: string; Values: string[] }): Promise<InternetGateway[]> {
  return collect(async (token) => {
    const page = await ec2.describeInternetGateways({ Filters: [filter], ...next(token) });
    return [page.InternetGateways, page.NextToken] as const;
  });
}

export async function listNats({ ec2 }: Aws, id: string): Promise<NatGateway[]> {
  const nats = await collect(async (token) => {
    const page = await ec2.describeNatGateways({ Filter: ofVpc(id).Filters, ...next(token) });
    return [page.NatGateways, page.NextToken] as const;
  });
  return nats.filter(({ State }) => State !== "deleted" && State !== "deleting");
}

/** Addresses know no VPC, only our mark. */
export async function listAddresses({ ec2 }: Aws, id: string): Promise<Address[]> {
  const { Addresses: addresses = [] } = await ec2.describeAddresses({ Filters: [withTag(partOfTag, id)] });
  return addresses;
}

export function listTables({ ec2 }: Aws, id: string): Promise<RouteTable[]> {
  return collect(async (token) => {
    const page = await ec2.describeRouteTables({ ...ofVpc(id), ...next(token) });
    return [page.RouteTables, page.NextToken] as const;
  });
}

export async function listEndpoints({ ec2 }: Aws, id: string): Promise<VpcEndpoint[]> {
  const endpoints = await collect(async (token) => {
    const page = await ec2.describeVpcEndpoints({ ...ofVpc(id), ...next(token) });
    return [page.VpcEndpoints, page.NextToken] as const;
  });
  return endpoints.filter(({ State }) => State?.toLowerCase() !== "deleted" && State?.toLowerCase() !== "deleting");
}

/** The subnets that are parts of ours, by name. */
export function ownSubnets({ id, subnets }: Pick<Network, "id" | "subnets">): Map<string, Subnet> {
  return new Map(
    subnets.flatMap((subnet) => {
      const part = partOf(subnet, id);
      return part?.startsWith("subnet/") === true ? [[part.slice("subnet/".length), subnet] as const] : [];
    }),
  );
}

/** The table that decides for a subnet: its own, else the VPC's main one. */
export function tableOf(network: Pick<Network, "tables">, subnetId: string): RouteTable | undefined {
  const associated = network.tables.find(({ Associations }) =>
    Associations?.some(
      ({ SubnetId, AssociationState }) => SubnetId === subnetId && AssociationState?.State !== "disassociated",
    ),
  );
  return associated ?? network.tables.find(({ Associations }) => Associations?.some(({ Main }) => Main === true));
}

export const anywhere = "0.0.0.0/0";

/** Where a table sends what is meant for the internet; undefined where it goes nowhere. */
export function defaultTarget(table: RouteTable | undefined): string | undefined {
  const route = table?.Routes?.find(({ DestinationCidrBlock }) => DestinationCidrBlock === anywhere);
  if (route === undefined || route.State === "blackhole") return undefined;
  return route.NatGatewayId ?? route.GatewayId;
}

export function isPublic(network: Network, subnetId: string): boolean {
  return defaultTarget(tableOf(network, subnetId))?.startsWith("igw-") === true;
}
