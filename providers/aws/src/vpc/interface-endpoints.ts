import type { VpcEndpoint } from "@aws-sdk/client-ec2";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { partOf, tagged } from "../ec2/marked.ts";
import { shortHash } from "../naming.ts";
import { partTags } from "../ownership.ts";
import { awaitThat } from "../waiting.ts";
import { listEndpoints, listSubnets, ownSubnets, type Network } from "./network.ts";
import type { InterfaceEndpointInput, VpcInput } from "./schema.ts";

const partPrefix = "interface/";

/** The interface endpoints of ours, by service as the configuration names it. */
export function interfacesByKey(endpoints: readonly VpcEndpoint[], vpcId: string): Map<string, VpcEndpoint> {
  return new Map(
    endpoints.flatMap((endpoint) => {
      const part = partOf(endpoint, vpcId);
      return part?.startsWith(partPrefix) === true ? [[part.slice(partPrefix.length), endpoint] as const] : [];
    }),
  );
}

/** An interface endpoint as the configuration would say it. */
export function readInterface(endpoint: VpcEndpoint, network: Network): InterfaceEndpointInput {
  const names = new Map([...ownSubnets(network)].map(([name, { SubnetId: id = "" }]) => [id, name]));
  return {
    subnets: (endpoint.SubnetIds ?? []).map((id) => names.get(id) ?? id).toSorted(),
    security_group_ids: groupsOf(endpoint).toSorted(),
    private_dns: endpoint.PrivateDnsEnabled ?? false,
  };
}

const groupsOf = ({ Groups: groups }: VpcEndpoint): string[] => (groups ?? []).map(({ GroupId }) => GroupId ?? "");

/** Makes and changes the interface endpoints that are wanted, and waits until they can be used. */
export async function syncInterfaces(cloud: Aws, vpcId: string, name: string, input: VpcInput): Promise<void> {
  const entries = Object.entries(input.interface_endpoints);
  if (entries.length === 0) return;
  const live = interfacesByKey(await listEndpoints(cloud, vpcId), vpcId);
  const subnets = ownSubnets({ id: vpcId, subnets: await listSubnets(cloud, vpcId) });
  const made: string[] = [];
  for (const [service, wanted] of entries) {
    const ids = wanted.subnets.map((each) => subnets.get(each)?.SubnetId ?? "");
    const found = live.get(service);
    if (found === undefined) made.push(await makeInterface(cloud, { vpcId, name, service, ids }, wanted, input));
    else await changeInterface(cloud, found, ids, wanted);
  }
  if (made.length > 0) await awaitAvailable(cloud, vpcId, made);
}

async function makeInterface(
  { ec2, context, region }: Aws,
  place: { vpcId: string; name: string; service: string; ids: string[] },
  wanted: InterfaceEndpointInput,
  input: VpcInput,
): Promise<string> {
  const { vpcId, name, service, ids } = place;
  const tags = partTags(context, { of: vpcId, key: `${partPrefix}${service}`, name, tags: input.tags });
  const { VpcEndpoint: made } = await ec2.createVpcEndpoint({
    VpcEndpointType: "Interface",
    VpcId: vpcId,
    ServiceName: /^(?:com|cn|aws)\./.test(service) ? service : `com.amazonaws.${region}.${service}`,
    SubnetIds: ids,
    ...(wanted.security_group_ids === undefined ? {} : { SecurityGroupIds: wanted.security_group_ids }),
    PrivateDnsEnabled: wanted.private_dns,
    ClientToken: shortHash(`${context.clientToken} interface ${service}`, 32),
    ...tagged("vpc-endpoint", { Name: `${name}-${service}`, ...tags }),
  });
  return made?.VpcEndpointId ?? "";
}

async function changeInterface(
  { ec2 }: Aws,
  found: VpcEndpoint,
  ids: readonly string[],
  wanted: InterfaceEndpointInput,
): Promise<void> {
  const groups = groupsOf(found);
  const wantedGroups = wanted.security_group_ids ?? groups;
  const changes = {
    AddSubnetIds: ids.filter((id) => !found.SubnetIds?.includes(id)),
    RemoveSubnetIds: (found.SubnetIds ?? []).filter((id) => !ids.includes(id)),
    AddSecurityGroupIds: wantedGroups.filter((id) => !groups.includes(id)),
    RemoveSecurityGroupIds: groups.filter((id) => !wantedGroups.includes(id)),
  };
  const filled = Object.fromEntries(Object.entries(changes).filter(([, list]) => list.length > 0));
  const dns =
    (found.PrivateDnsEnabled ?? false) === wanted.private_dns ? {} : { PrivateDnsEnabled: wanted.private_dns };
  if (Object.keys(filled).length + Object.keys(dns).length === 0) return;
  await ec2.modifyVpcEndpoint({ VpcEndpointId: found.VpcEndpointId ?? "", ...filled, ...dns });
}

async function awaitAvailable(cloud: Aws, vpcId: string, ids: readonly string[]): Promise<void> {
  await awaitThat(cloud.context, `endpoints ${ids.join(", ")} to be available`, async () => {
    const found = (await listEndpoints(cloud, vpcId)).filter(({ VpcEndpointId: id = "" }) => ids.includes(id));
    const states = found.map(({ State }) => State?.toLowerCase());
    if (states.some((state) => state === "failed" || state === "rejected")) {
      const why = found.flatMap(({ LastError }) => LastError?.Message ?? []).join("; ");
      throw new ProviderFailure("unknown", `An endpoint of VPC "${vpcId}" is ${states.join(", ")}${why && `: ${why}`}`);
    }
    // One of another account's service waits for that account's consent.
    const isUp = states.every((state) => state === "available" || state === "pendingacceptance");
    return found.length === ids.length && isUp ? true : undefined;
  });
}

/** Deletes the interface endpoints of ours that are not wanted. */
export async function removeInterfaces(cloud: Aws, vpcId: string, keep: readonly string[]): Promise<void> {
  const live = interfacesByKey(await listEndpoints(cloud, vpcId), vpcId);
  const ids = [...live].filter(([key]) => !keep.includes(key)).map(([, { VpcEndpointId: id = "" }]) => id);
  if (ids.length > 0) await cloud.ec2.deleteVpcEndpoints({ VpcEndpointIds: ids });
}

/** Takes interface endpoints out of a subnet that is about to go: their network interfaces hold it. */
export async function leaveSubnet(cloud: Aws, vpcId: string, subnetId: string): Promise<void> {
  for (const endpoint of interfacesByKey(await listEndpoints(cloud, vpcId), vpcId).values()) {
    const { VpcEndpointId: id = "", SubnetIds: subnets = [] } = endpoint;
    if (!subnets.includes(subnetId)) continue;
    if (subnets.length === 1) await cloud.ec2.deleteVpcEndpoints({ VpcEndpointIds: [id] });
    else await cloud.ec2.modifyVpcEndpoint({ VpcEndpointId: id, RemoveSubnetIds: [subnetId] });
  }
}
