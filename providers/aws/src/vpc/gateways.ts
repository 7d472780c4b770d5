import type { Address, NatGateway } from "@aws-sdk/client-ec2";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { partOf, tagged, withTag } from "../ec2/marked.ts";
import { makeMarked } from "../marked.ts";
import { orAbsent, orNone } from "../errors.ts";
import { shortHash } from "../naming.ts";
import { partOfTag, partTag, partTags } from "../ownership.ts";
import { awaitThat, retryWhile } from "../waiting.ts";
import {
  findGateway,
  listAddresses,
  listGateways,
  listNats,
  listSubnets,
  ownSubnets,
  type Network,
} from "./network.ts";
import type { VpcInput } from "./schema.ts";

/** Id of the internet gateway, made and attached where it is missing. */
export async function ensureInternetGateway(cloud: Aws, vpcId: string, name: string, input: VpcInput): Promise<string> {
  const { ec2, context } = cloud;
  const found = await findGateway(cloud, vpcId);
  const tags = partTags(context, { of: vpcId, key: "internet-gateway", name, tags: input.tags });
  const id =
    found?.InternetGatewayId ??
    (
      await makeMarked(cloud, "the internet gateway", {
        find: async () =>
          (await listGateways(cloud, withTag(partOfTag, vpcId))).map(
            ({ InternetGatewayId }) => InternetGatewayId ?? "",
          ),
        make: async () => {
          const made = await ec2.createInternetGateway(tagged("internet-gateway", { Name: name, ...tags }));
          return made.InternetGateway?.InternetGatewayId ?? "";
        },
        remove: (other) => ec2.deleteInternetGateway({ InternetGatewayId: other }),
      })
    ).id;
  const isAttached = found?.Attachments?.some(({ VpcId }) => VpcId === vpcId) === true;
  if (!isAttached) {
    await orNone(ec2.attachInternetGateway({ InternetGatewayId: id, VpcId: vpcId }), "Resource.AlreadyAssociated");
  }
  return id;
}

/** Detaches and deletes the internet gateways that are parts of ours. */
export async function removeInternetGateway(cloud: Aws, vpcId: string): Promise<void> {
  const { ec2, context } = cloud;
  for (const gateway of await listGateways(cloud, withTag(partOfTag, vpcId))) {
    const id = gateway.InternetGatewayId ?? "";
    if ((gateway.Attachments ?? []).length > 0) {
      // Addresses of what is being deleted hold it for a while.
      await retryWhile(context, ["DependencyViolation"], `internet gateway ${id} to be free`, () =>
        orNone(orAbsent(ec2.detachInternetGateway({ InternetGatewayId: id, VpcId: vpcId })), "Gateway.NotAttached"),
      );
    }
    await retryWhile(context, ["DependencyViolation"], `internet gateway ${id} to be free`, () =>
      orAbsent(ec2.deleteInternetGateway({ InternetGatewayId: id })),
    );
  }
}

/** Which NAT gateways there are to be, by name, with the public subnet of each. */
async function planNats(cloud: Aws, network: Network, input: VpcInput): Promise<Map<string, string>> {
  if (input.nat_gateways === "none") return new Map();
  const own = ownSubnets({ id: network.id, subnets: await listSubnets(cloud, network.id) });
  const places = [...own].flatMap(([key, { SubnetId: id = "", AvailabilityZone: zone = "" }]) => {
    const wanted = input.subnets[key];
    return wanted === undefined ? [] : [{ key, id, zone, public: wanted.public }];
  });
  const publics = places.filter((place) => place.public).toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const [first] = publics;
  if (first === undefined) throw new ProviderFailure("validation", "A NAT gateway needs a public subnet");
  if (input.nat_gateways === "single") return new Map([["single", first.id]]);
  const zones = [...new Set(places.filter((place) => !place.public).map(({ zone }) => zone))].toSorted();
  return new Map(
    zones.map((zone) => {
      const place = publics.find((each) => each.zone === zone);
      if (place !== undefined) return [zone, place.id];
      throw new ProviderFailure("validation", `nat_gateways: per_zone needs a public subnet in zone ${zone}`);
    }),
  );
}

/** Ids of the NAT gateways by name, made where they are missing and available. */
export async function ensureNats(
  cloud: Aws,
  network: Network,
  name: string,
  input: VpcInput,
): Promise<Map<string, string>> {
  const plan = await planNats(cloud, network, input);
  const live = natsByKey(await listNats(cloud, network.id), network.id);
  const ids = new Map<string, string>();
  for (const [key, subnetId] of plan) {
    const found = live.get(key);
    if (found !== undefined && found.SubnetId === subnetId && found.State !== "failed") {
      ids.set(key, found.NatGatewayId ?? "");
      continue;
    }
    if (found !== undefined) await removeNat(cloud, found);
    const allocation = await ensureAddress(cloud, network.id, name, key, input);
    const tags = partTags(cloud.context, { of: network.id, key: `nat/${key}`, name, tags: input.tags });
    const { NatGateway: made } = await cloud.ec2.createNatGateway({
      SubnetId: subnetId,
      AllocationId: allocation,
      ClientToken: shortHash(`${cloud.context.clientToken} nat ${key} ${subnetId}`, 32),
      ...tagged("natgateway", { Name: `${name}-${key}`, ...tags }),
    });
    ids.set(key, made?.NatGatewayId ?? "");
  }
  // All of them start at the same time: they take minutes.
  for (const [key, id] of ids) await awaitNat(cloud, network.id, key, id);
  return ids;
}

/** Deletes NAT gateways and addresses of ours that the plan does not have. */
export async function removeNats(cloud: Aws, vpcId: string, keep: ReadonlyMap<string, string>): Promise<void> {
  const own = [...natsByKey(await listNats(cloud, vpcId), vpcId)];
  for (const [, nat] of own.filter(([key, nat]) => keep.get(key) !== nat.NatGatewayId)) await removeNat(cloud, nat);
  for (const address of await listAddresses(cloud, vpcId)) {
    const key = partOf(address, vpcId)?.slice("address/".length) ?? "";
    if (!keep.has(key)) await releaseAddress(cloud, address);
  }
}

export function natsByKey(nats: readonly NatGateway[], vpcId: string): Map<string, NatGateway> {
  return new Map(
    nats.flatMap((nat) => {
      const part = partOf(nat, vpcId);
      return part?.startsWith("nat/") === true ? [[part.slice("nat/".length), nat] as const] : [];
    }),
  );
}

export async function removeNat(cloud: Aws, { NatGatewayId: id = "" }: NatGateway): Promise<void> {
  const { ec2, context } = cloud;
  await orAbsent(ec2.deleteNatGateway({ NatGatewayId: id }));
  await awaitThat(context, `NAT gateway ${id} to be deleted`, async () => {
    const answer = await orAbsent(ec2.describeNatGateways({ NatGatewayIds: [id] }));
    const state = answer?.NatGateways?.[0]?.State;
    return state === undefined || state === "deleted" ? true : undefined;
  });
}

async function awaitNat(cloud: Aws, vpcId: string, key: string, id: string): Promise<void> {
  await awaitThat(cloud.context, `NAT gateway ${key} (${id}) to be available`, async () => {
    const nat = (await listNats(cloud, vpcId)).find(({ NatGatewayId }) => NatGatewayId === id);
    if (nat?.State === "failed") {
      throw new ProviderFailure(
        "unknown",
        `NAT gateway "${id}" failed: ${nat.FailureMessage ?? "no reason given"} (${nat.FailureCode ?? "no code"})`,
      );
    }
    return nat?.State === "available" ? true : undefined;
  });
}

async function ensureAddress(cloud: Aws, vpcId: string, name: string, key: string, input: VpcInput): Promise<string> {
  const { ec2, context } = cloud;
  const part = `address/${key}`;
  const tags = partTags(context, { of: vpcId, key: part, name, tags: input.tags });
  const address = await makeMarked(cloud, `the address of NAT gateway ${key}`, {
    async find() {
      const filters = [withTag(partOfTag, vpcId), withTag(partTag, part)];
      const { Addresses: addresses = [] } = await ec2.describeAddresses({ Filters: filters });
      return addresses.map(({ AllocationId }) => AllocationId ?? "");
    },
    async make() {
      const made = await ec2.allocateAddress({
        Domain: "vpc",
        ...tagged("elastic-ip", { Name: `${name}-${key}`, ...tags }),
      });
      return made.AllocationId ?? "";
    },
    remove: (id) => ec2.releaseAddress({ AllocationId: id }),
  });
  return address.id;
}

async function releaseAddress({ ec2, context }: Aws, { AllocationId: id = "" }: Address): Promise<void> {
  await retryWhile(
    context,
    ["InvalidIPAddress.InUse", "InvalidAddress.Locked", "AuthFailure"],
    `address ${id} to be free`,
    () => orAbsent(ec2.releaseAddress({ AllocationId: id })),
    { timeoutMs: 120_000 },
  );
}
