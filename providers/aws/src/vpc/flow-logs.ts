import type { CreateFlowLogsCommandInput, FlowLog } from "@aws-sdk/client-ec2";
import { canonicalJson, ProviderFailure, type Json } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { partOf, tagged } from "../ec2/marked.ts";
import { orAbsent, orNone } from "../errors.ts";
import { defined, isSame } from "../json.ts";
import { shortHash } from "../naming.ts";
import { partTags } from "../ownership.ts";
import { collect } from "../paging.ts";
import type { FlowLogInput, VpcInput } from "./schema.ts";

const part = "flow-log";

export async function ownFlowLogs({ ec2 }: Aws, vpcId: string): Promise<FlowLog[]> {
  const filter = [{ Name: "resource-id", Values: [vpcId] }];
  const all = await collect(async (token) => {
    const page = await ec2.describeFlowLogs({ Filter: filter, ...(token === undefined ? {} : { NextToken: token }) });
    return [page.FlowLogs, page.NextToken] as const;
  });
  return all.filter((each) => partOf(each, vpcId) === part);
}

/** A flow log as the input has it. */
export function readFlowLog(live: FlowLog): FlowLogInput {
  return defined({
    destination: live.LogDestination ?? "",
    traffic: (live.TrafficType ?? "ALL") as FlowLogInput["traffic"],
    role_arn: live.DeliverLogsPermissionArn,
    interval_seconds: live.MaxAggregationInterval === 60 ? (60 as const) : (600 as const),
  });
}

/** Flow logs cannot be changed: the new one is made before the old one goes. */
export async function syncFlowLog(cloud: Aws, vpcId: string, name: string, input: VpcInput): Promise<void> {
  const { flow_log: wanted } = input;
  const live = await ownFlowLogs(cloud, vpcId);
  const kept = wanted && live.find((each) => isSame(readFlowLog(each), wanted))?.FlowLogId;
  const made = wanted === undefined || kept !== undefined ? kept : await makeFlowLog(cloud, vpcId, name, input, wanted);
  await removeFlowLogs(cloud, vpcId, made);
}

/** Deletes the flow logs of ours but for one. */
export async function removeFlowLogs(cloud: Aws, vpcId: string, keep: string | undefined): Promise<void> {
  const ids = (await ownFlowLogs(cloud, vpcId)).map(({ FlowLogId }) => FlowLogId ?? "").filter((id) => id !== keep);
  if (ids.length > 0) await orAbsent(cloud.ec2.deleteFlowLogs({ FlowLogIds: ids }));
}

async function makeFlowLog(
  cloud: Aws,
  vpcId: string,
  name: string,
  input: VpcInput,
  wanted: FlowLogInput,
): Promise<string> {
  const { ec2, context } = cloud;
  const tags = partTags(context, { of: vpcId, key: part, name, tags: input.tags });
  const request: CreateFlowLogsCommandInput = {
    ResourceIds: [vpcId],
    ResourceType: "VPC",
    TrafficType: wanted.traffic,
    LogDestinationType: wanted.destination.includes(":s3:::") ? "s3" : "cloud-watch-logs",
    LogDestination: wanted.destination,
    MaxAggregationInterval: wanted.interval_seconds,
    ...(wanted.role_arn === undefined ? {} : { DeliverLogsPermissionArn: wanted.role_arn }),
    ClientToken: shortHash(`${context.clientToken} flow log ${canonicalJson(wanted as unknown as Json)}`, 32),
    ...tagged("vpc-flow-log", { Name: name, ...tags }),
  };
  let answer = await orNone(ec2.createFlowLogs(request), "FlowLogAlreadyExists");
  if (answer === undefined) {
    // Two that go to one place and differ in little cannot be there at the same time.
    await removeFlowLogs(cloud, vpcId, undefined);
    answer = await ec2.createFlowLogs(request);
  }
  const { FlowLogIds: [id] = [], Unsuccessful: [refused] = [] } = answer;
  if (id !== undefined) return id;
  // What is wrong comes as an answer, not as an error.
  const why = `${refused?.Error?.Message ?? "no reason given"} (${refused?.Error?.Code ?? "no code"})`;
  throw new ProviderFailure(
    "unknown",
    `Cannot create the flow log of VPC "${vpcId}" to "${wanted.destination}": ${why}`,
  );
}
