import type { Subnet } from "@aws-sdk/client-ec2";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { syncTags, tagged } from "../ec2/marked.ts";
import { isAwsError, orAbsent } from "../errors.ts";
import { partOfTag, partTags, tokenTag } from "../ownership.ts";
import { fromPairs } from "../tags.ts";
import { awaitThat, retryWhile } from "../waiting.ts";
import { describeHolders } from "./holders.ts";
import { listSubnets, ownSubnets, type Network } from "./network.ts";
import type { SubnetInput, VpcInput } from "./schema.ts";

/** Makes the subnets that are missing and brings the others to what is wanted. Those that must go are not touched. */
export async function syncSubnets(cloud: Aws, network: Network, name: string, input: VpcInput): Promise<void> {
  const own = ownSubnets(network);
  const zones = createZoneChoice(cloud, input, own);
  for (const [key, wanted] of Object.entries(input.subnets)) {
    const found = own.get(key) ?? adoptable(network, wanted);
    const subnet = found ?? (await makeSubnet(cloud, network.id, { key, name, wanted, zone: await zones(wanted) }));
    const id = subnet.SubnetId ?? "";
    const tags = partTags(cloud.context, { of: network.id, key: `subnet/${key}`, name, tags: wanted.tags });
    const live = fromPairs(subnet.Tags);
    // The token of the action that made it stays.
    await syncTags(cloud, id, live, {
      Name: `${name}-${key}`,
      ...tags,
      [tokenTag]: live[tokenTag] ?? tags[tokenTag] ?? "",
    });
    const mapPublic = wanted.map_public_ip ?? wanted.public;
    if ((subnet.MapPublicIpOnLaunch ?? false) !== mapPublic) {
      await cloud.ec2.modifySubnetAttribute({ SubnetId: id, MapPublicIpOnLaunch: { Value: mapPublic } });
    }
  }
}

/** Own subnets that no longer fit: not wanted, or of another range or zone, which cannot be changed. */
export function subnetsToReplace(
  network: Network,
  input: VpcInput,
): { key: string; subnet: Subnet; wanted: boolean }[] {
  return [...ownSubnets(network)].flatMap(([key, subnet]) => {
    const wanted = input.subnets[key];
    const fits =
      wanted !== undefined && wanted.cidr === subnet.CidrBlock && isZone(wanted.zone, subnet.AvailabilityZone);
    return fits ? [] : [{ key, subnet, wanted: wanted !== undefined }];
  });
}

/** `a` stands for the zone of that letter. */
export function isZone(wanted: string | undefined, live: string | undefined): boolean {
  return wanted === undefined || wanted === live || (wanted.length === 1 && live?.endsWith(wanted) === true);
}

export async function deleteSubnet(cloud: Aws, id: string): Promise<void> {
  try {
    await retryWhile(cloud.context, ["DependencyViolation"], `subnet ${id} to be empty`, () =>
      orAbsent(cloud.ec2.deleteSubnet({ SubnetId: id })),
    );
  } catch (error) {
    if (!isAwsError(error, "DependencyViolation")) throw error;
    const holders = await describeHolders(cloud, { Name: "subnet-id", Values: [id] });
    throw new ProviderFailure("validation", `Cannot delete subnet "${id}": it still holds ${holders}`, {
      cause: error,
    });
  }
}

/** In a VPC that was taken over, a subnet of the same range is taken over with it. */
function adoptable(network: Network, wanted: SubnetInput): Subnet | undefined {
  return network.subnets.find(
    (subnet) =>
      subnet.CidrBlock === wanted.cidr &&
      isZone(wanted.zone, subnet.AvailabilityZone) &&
      fromPairs(subnet.Tags)[partOfTag] === undefined,
  );
}

async function makeSubnet(
  cloud: Aws,
  vpcId: string,
  part: { key: string; name: string; wanted: SubnetInput; zone: string },
): Promise<Subnet> {
  const { key, name, wanted, zone } = part;
  const tags = partTags(cloud.context, { of: vpcId, key: `subnet/${key}`, name, tags: wanted.tags });
  const { Subnet: made } = await cloud.ec2.createSubnet({
    VpcId: vpcId,
    CidrBlock: wanted.cidr,
    AvailabilityZone: zone,
    ...tagged("subnet", { Name: `${name}-${key}`, ...tags }),
  });
  return awaitThat(cloud.context, `subnet ${key} to be available`, async () =>
    (await listSubnets(cloud, vpcId)).find(
      ({ SubnetId, State }) => SubnetId === made?.SubnetId && State === "available",
    ),
  );
}

/** Subnets that name no zone go where there are the fewest of their kind. */
function createZoneChoice(
  { ec2, region }: Aws,
  input: VpcInput,
  own: ReadonlyMap<string, Subnet>,
): (wanted: SubnetInput) => Promise<string> {
  const taken = new Map<string, number>();
  const count = (isPublic: boolean, zone: string): string => {
    const key = `${isPublic} ${zone}`;
    taken.set(key, (taken.get(key) ?? 0) + 1);
    return zone;
  };
  const full = (zone: string): string => (zone.length === 1 ? `${region}${zone}` : zone);
  for (const [key, wanted] of Object.entries(input.subnets)) {
    const zone = own.get(key)?.AvailabilityZone ?? (wanted.zone === undefined ? undefined : full(wanted.zone));
    if (zone !== undefined) count(wanted.public, zone);
  }
  let zones: Promise<string[]> | undefined;
  const list = async (): Promise<string[]> => {
    const filters = [
      { Name: "state", Values: ["available"] },
      { Name: "zone-type", Values: ["availability-zone"] },
    ];
    const { AvailabilityZones: all = [] } = await ec2.describeAvailabilityZones({ Filters: filters });
    return all.map(({ ZoneName }) => ZoneName ?? "").toSorted();
  };
  return async (wanted) => {
    if (wanted.zone !== undefined) return full(wanted.zone);
    const all = await (zones ??= list());
    const uses = (zone: string): number => taken.get(`${wanted.public} ${zone}`) ?? 0;
    const best = all.toSorted((a, b) => uses(a) - uses(b) || (a < b ? -1 : 1))[0];
    if (best === undefined) throw new ProviderFailure("validation", `Region ${region} has no zone that is available`);
    return count(wanted.public, best);
  };
}
