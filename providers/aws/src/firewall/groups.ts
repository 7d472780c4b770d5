import type { SecurityGroup, SecurityGroupRule } from "@aws-sdk/client-ec2";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { nameTag } from "../ownership.ts";
import { collect, each } from "../paging.ts";
import { fromPairs } from "../tags.ts";

type Filter = { Name: string; Values: string[] };

export function groupsWhere({ ec2 }: Aws, filters: Filter[]): AsyncGenerator<SecurityGroup> {
  return each(async (token) => {
    const page = await ec2.describeSecurityGroups({
      ...(filters.length === 0 ? {} : { Filters: filters }),
      ...(token === undefined ? {} : { NextToken: token }),
    });
    return [page.SecurityGroups, page.NextToken] as const;
  });
}

export async function findGroup({ ec2 }: Aws, id: string): Promise<SecurityGroup | undefined> {
  const answer = await orAbsent(ec2.describeSecurityGroups({ GroupIds: [id] }));
  return answer?.SecurityGroups?.[0];
}

/** The group of this name in a VPC. */
export async function findGroupByName(cloud: Aws, vpcId: string, name: string): Promise<SecurityGroup | undefined> {
  const filters = [
    { Name: "vpc-id", Values: [vpcId] },
    { Name: "group-name", Values: [name] },
  ];
  for await (const group of groupsWhere(cloud, filters)) return group;
  return undefined;
}

/** The group that another firewall resource of this name made, else the group of this name. */
export async function resolveGroupName(cloud: Aws, vpcId: string, name: string): Promise<string | undefined> {
  const filters = [
    { Name: "vpc-id", Values: [vpcId] },
    { Name: `tag:${nameTag}`, Values: [name] },
  ];
  const own: SecurityGroup[] = [];
  for await (const group of groupsWhere(cloud, filters)) own.push(group);
  const [only] = own;
  if (own.length === 1) return only?.GroupId;
  return (await findGroupByName(cloud, vpcId, name))?.GroupId;
}

export function listRules({ ec2 }: Aws, groupId: string): Promise<SecurityGroupRule[]> {
  return collect(async (token) => {
    const page = await ec2.describeSecurityGroupRules({
      Filters: [{ Name: "group-id", Values: [groupId] }],
      ...(token === undefined ? {} : { NextToken: token }),
    });
    return [page.SecurityGroupRules, page.NextToken] as const;
  });
}

/** Names of the groups, among these ids, that are firewalls of ours, by which a rule may call them. */
export async function namesOfGroups(cloud: Aws, ids: readonly string[]): Promise<Record<string, string>> {
  if (ids.length === 0) return {};
  const names: Record<string, string> = {};
  for await (const { GroupId: id = "", GroupName: name = "", Tags: tags } of groupsWhere(cloud, [
    { Name: "group-id", Values: [...new Set(ids)] },
  ])) {
    names[fromPairs(tags)[nameTag] ?? name] = id;
  }
  return names;
}

export async function defaultVpcId({ ec2, region }: Aws): Promise<string> {
  const { Vpcs: vpcs = [] } = await ec2.describeVpcs({ Filters: [{ Name: "is-default", Values: ["true"] }] });
  const id = vpcs[0]?.VpcId;
  if (id !== undefined) return id;
  throw new ProviderFailure("validation", `Region ${region} has no default VPC: set vpc_id`);
}
