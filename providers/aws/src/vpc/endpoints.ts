import type { VpcEndpoint } from "@aws-sdk/client-ec2";
import type { Aws } from "../calls.ts";
import { partOf, tagged } from "../ec2/marked.ts";
import { shortHash } from "../naming.ts";
import { partTags } from "../ownership.ts";
import { awaitThat } from "../waiting.ts";
import { listEndpoints, listTables } from "./network.ts";
import { tablesByKey } from "./routes.ts";
import type { VpcInput } from "./schema.ts";

/** Gateway endpoints in all tables of ours. */
export async function syncEndpoints(cloud: Aws, vpcId: string, name: string, input: VpcInput): Promise<void> {
  const { ec2, context, region } = cloud;
  if (input.gateway_endpoints.length === 0) return;
  const tables = [...tablesByKey(await listTables(cloud, vpcId), vpcId).values()].map(
    ({ RouteTableId }) => RouteTableId ?? "",
  );
  const live = endpointsByKey(await listEndpoints(cloud, vpcId), vpcId);
  for (const service of input.gateway_endpoints) {
    const found = live.get(service);
    if (found === undefined) {
      const tags = partTags(context, { of: vpcId, key: `endpoint/${service}`, name, tags: input.tags });
      await ec2.createVpcEndpoint({
        VpcEndpointType: "Gateway",
        VpcId: vpcId,
        ServiceName: `com.amazonaws.${region}.${service}`,
        RouteTableIds: tables,
        ClientToken: shortHash(`${context.clientToken} endpoint ${service}`, 32),
        ...tagged("vpc-endpoint", { Name: `${name}-${service}`, ...tags }),
      });
      continue;
    }
    const add = tables.filter((id) => !found.RouteTableIds?.includes(id));
    const id = found.VpcEndpointId ?? "";
    if (add.length > 0) await ec2.modifyVpcEndpoint({ VpcEndpointId: id, AddRouteTableIds: add });
  }
}

/** Deletes the endpoints of ours that are not wanted. */
export async function removeEndpoints(cloud: Aws, vpcId: string, keep: readonly string[]): Promise<void> {
  const { ec2, context } = cloud;
  const surplus = [...endpointsByKey(await listEndpoints(cloud, vpcId), vpcId)].filter(([key]) => !keep.includes(key));
  if (surplus.length === 0) return;
  const ids = surplus.map(([, endpoint]) => endpoint.VpcEndpointId ?? "");
  await ec2.deleteVpcEndpoints({ VpcEndpointIds: ids });
  await awaitThat(context, `endpoints ${ids.join(", ")} to be deleted`, async () => {
    const left = await listEndpoints(cloud, vpcId);
    return left.some(({ VpcEndpointId }) => ids.includes(VpcEndpointId ?? "")) ? undefined : true;
  });
}

export function endpointsByKey(endpoints: readonly VpcEndpoint[], vpcId: string): Map<string, VpcEndpoint> {
  return new Map(
    endpoints.flatMap((endpoint) => {
      const part = partOf(endpoint, vpcId);
      return part?.startsWith("endpoint/") === true ? [[part.slice("endpoint/".length), endpoint] as const] : [];
    }),
  );
}
