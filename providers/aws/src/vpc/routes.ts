import type { CreateRouteCommandInput, Route as SdkRoute, RouteTable } from "@aws-sdk/client-ec2";
import type { Aws } from "../calls.ts";
import { partOf, tagged } from "../ec2/marked.ts";
import { orAbsent, orNone } from "../errors.ts";
import { shortHash } from "../naming.ts";
import { partTags } from "../ownership.ts";
import { awaitThat, retryWhile } from "../waiting.ts";
import { anywhere, listSubnets, listTables, ownSubnets, tableOf, type Network } from "./network.ts";
import type { Route, VpcInput } from "./schema.ts";

/** What a table is for, and where it sends what is meant for the internet. */
interface TablePlan {
  readonly key: string;
  readonly kind: "public" | "private";
  readonly internet: string | undefined;
  readonly subnets: readonly string[];
}

/** Makes the route tables, their routes and the subnets' associations. `managed`: further routes are looked after. */
export async function syncRoutes(
  cloud: Aws,
  network: Network,
  name: string,
  input: VpcInput,
  targets: { gateway: string | undefined; nats: ReadonlyMap<string, string>; managed: boolean },
): Promise<void> {
  const plans = await planTables(cloud, network.id, input, targets);
  for (const plan of plans) {
    const table = await ensureTable(cloud, network.id, name, plan.key, input);
    await syncTableRoutes(cloud, table, plan, input.routes ?? [], targets.managed);
    for (const subnetId of plan.subnets) await associate(cloud, network.id, subnetId, table.RouteTableId ?? "");
  }
}

/** Deletes the tables of ours that no plan has any more. To be called when no subnet needs them. */
export async function removeTables(cloud: Aws, vpcId: string, keep: ReadonlySet<string>): Promise<void> {
  const { ec2, context } = cloud;
  for (const table of await listTables(cloud, vpcId)) {
    const part = partOf(table, vpcId);
    if (part === undefined || keep.has(part.slice("table/".length))) continue;
    for (const { RouteTableAssociationId: id, Main: isMain } of table.Associations ?? []) {
      if (isMain !== true) await orAbsent(ec2.disassociateRouteTable({ AssociationId: id ?? "" }));
    }
    const tableId = table.RouteTableId ?? "";
    await retryWhile(context, ["DependencyViolation"], `route table ${tableId} to be free`, () =>
      orAbsent(ec2.deleteRouteTable({ RouteTableId: tableId })),
    );
  }
}

export async function planTables(
  cloud: Aws,
  vpcId: string,
  input: VpcInput,
  { gateway, nats }: { gateway: string | undefined; nats: ReadonlyMap<string, string> },
): Promise<TablePlan[]> {
  const own = ownSubnets({ id: vpcId, subnets: await listSubnets(cloud, vpcId) });
  const places = [...own].flatMap(([key, { SubnetId: id = "", AvailabilityZone: zone = "" }]) => {
    const wanted = input.subnets[key];
    return wanted === undefined ? [] : [{ id, zone, public: wanted.public }];
  });
  const publics = places.filter((place) => place.public).map(({ id }) => id);
  const privates = places.filter((place) => !place.public);
  const plans: TablePlan[] = [];
  if (publics.length > 0) plans.push({ key: "public", kind: "public", internet: gateway, subnets: publics });
  if (input.nat_gateways !== "per_zone") {
    const subnets = privates.map(({ id }) => id);
    if (subnets.length > 0) plans.push({ key: "private", kind: "private", internet: nats.get("single"), subnets });
    return plans;
  }
  for (const zone of [...new Set(privates.map((place) => place.zone))].toSorted()) {
    const subnets = privates.filter((place) => place.zone === zone).map(({ id }) => id);
    plans.push({ key: `private/${zone}`, kind: "private", internet: nats.get(zone), subnets });
  }
  return plans;
}

export function tablesByKey(tables: readonly RouteTable[], vpcId: string): Map<string, RouteTable> {
  return new Map(
    tables.flatMap((table) => {
      const part = partOf(table, vpcId);
      return part?.startsWith("table/") === true ? [[part.slice("table/".length), table] as const] : [];
    }),
  );
}

/** Routes beside those that the driver makes itself, as the input has them. */
export function furtherRoutes(table: RouteTable): Omit<Route, "table">[] {
  return (table.Routes ?? []).flatMap((route) => {
    const destination = route.DestinationCidrBlock ?? route.DestinationPrefixListId;
    const target = targetOf(route);
    const isOwn = target === undefined || target === "local" || destination === anywhere || target.startsWith("vpce-");
    return isOwn || destination === undefined || route.Origin === "EnableVgwRoutePropagation"
      ? []
      : [{ destination, target }];
  });
}

function targetOf(route: SdkRoute): string | undefined {
  return (
    route.GatewayId ??
    route.NatGatewayId ??
    route.TransitGatewayId ??
    route.VpcPeeringConnectionId ??
    route.NetworkInterfaceId ??
    route.LocalGatewayId ??
    route.CarrierGatewayId
  );
}

async function ensureTable(cloud: Aws, vpcId: string, name: string, key: string, input: VpcInput): Promise<RouteTable> {
  const { ec2, context } = cloud;
  const find = async (): Promise<RouteTable | undefined> => tablesByKey(await listTables(cloud, vpcId), vpcId).get(key);
  const found = await find();
  if (found !== undefined) return found;
  const tags = partTags(context, { of: vpcId, key: `table/${key}`, name, tags: input.tags });
  await ec2.createRouteTable({
    VpcId: vpcId,
    ClientToken: shortHash(`${context.clientToken} table ${key}`, 32),
    ...tagged("route-table", { Name: `${name}-${key.replace("/", "-")}`, ...tags }),
  });
  return awaitThat(context, `route table ${key} to be visible`, find);
}

async function syncTableRoutes(
  cloud: Aws,
  table: RouteTable,
  plan: TablePlan,
  routes: readonly Route[],
  managed: boolean,
): Promise<void> {
  const { ec2 } = cloud;
  const id = table.RouteTableId ?? "";
  const live = new Map(
    (table.Routes ?? []).map((route) => [route.DestinationCidrBlock ?? route.DestinationPrefixListId, route]),
  );
  const put = async (destination: string, target: string): Promise<void> => {
    const route = live.get(destination);
    if (route !== undefined && targetOf(route) === target && route.State !== "blackhole") return;
    const request = { RouteTableId: id, ...destinationOf(destination), ...targetInput(target) };
    if (route !== undefined) await ec2.replaceRoute(request);
    // Answered by an earlier attempt of this action, if there is one already.
    else if ((await orNone(ec2.createRoute(request), "RouteAlreadyExists")) === undefined)
      await ec2.replaceRoute(request);
  };
  if (plan.internet !== undefined) await put(anywhere, plan.internet);
  const wanted = routes.filter((route) => route.table === plan.kind);
  for (const { destination, target } of wanted) await put(destination, target);
  const keep = new Set([
    ...(plan.internet === undefined ? [] : [anywhere]),
    ...wanted.map(({ destination }) => destination),
  ]);
  const surplus = [
    ...(plan.internet === undefined && live.has(anywhere) ? [anywhere] : []),
    ...(managed ? furtherRoutes(table).map(({ destination }) => destination) : []),
  ].filter((destination) => !keep.has(destination));
  for (const destination of surplus) {
    await orAbsent(ec2.deleteRoute({ RouteTableId: id, ...destinationOf(destination) }));
  }
}

function destinationOf(destination: string) {
  return destination.startsWith("pl-")
    ? { DestinationPrefixListId: destination }
    : { DestinationCidrBlock: destination };
}

const targetMembers: Readonly<Record<string, keyof CreateRouteCommandInput>> = {
  nat: "NatGatewayId",
  tgw: "TransitGatewayId",
  pcx: "VpcPeeringConnectionId",
  eni: "NetworkInterfaceId",
  vpce: "VpcEndpointId",
  lgw: "LocalGatewayId",
  cagw: "CarrierGatewayId",
};

function targetInput(target: string): Partial<CreateRouteCommandInput> {
  return { [targetMembers[target.split("-")[0] ?? ""] ?? "GatewayId"]: target };
}

/** Gives a subnet its table, in one step where it has another. */
async function associate(cloud: Aws, vpcId: string, subnetId: string, tableId: string): Promise<void> {
  const { ec2 } = cloud;
  const tables = await listTables(cloud, vpcId);
  const current = tableOf({ tables }, subnetId);
  if (current?.RouteTableId === tableId && !isMainOnly(current, subnetId)) return;
  const association = current?.Associations?.find(({ SubnetId }) => SubnetId === subnetId)?.RouteTableAssociationId;
  if (association === undefined) {
    await orNone(ec2.associateRouteTable({ RouteTableId: tableId, SubnetId: subnetId }), "Resource.AlreadyAssociated");
  } else {
    await ec2.replaceRouteTableAssociation({ AssociationId: association, RouteTableId: tableId });
  }
}

function isMainOnly(table: RouteTable, subnetId: string): boolean {
  return table.Associations?.some(({ SubnetId }) => SubnetId === subnetId) !== true;
}
