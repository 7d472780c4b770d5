import type { SecurityGroupRule } from "@aws-sdk/client-ec2";
import { aws, type Aws } from "../calls.ts";
import type { Deferred } from "../deferrals.ts";
import { orAbsent, orNone } from "../errors.ts";
import { listRules, resolveGroupName } from "./groups.ts";
import { fromSdkRule, ruleKey, toPermission, toRuleRequest, type Rule } from "./rules.ts";

export interface Group {
  readonly id: string;
  readonly vpcId: string;
}

/** A rule whose other side is a firewall that does not exist yet. */
export interface DeferredRule {
  readonly isEgress: boolean;
  readonly rule: Rule;
  /** Name of the firewall that is missing. */
  readonly missing: string;
}

/**
 * Brings the rules of one direction to what is wanted: what is missing is added before what is not wanted is revoked, so
 * that nothing that stays is ever cut off. Returns the rules that must wait for another firewall.
 */
export async function syncRules(
  cloud: Aws,
  group: Group,
  isEgress: boolean,
  wanted: readonly Rule[],
): Promise<DeferredRule[]> {
  const { ec2 } = cloud;
  const live = (await listRules(cloud, group.id)).filter(({ IsEgress }) => IsEgress === isEgress);
  const liveByKey = new Map(live.map((each) => [ruleKey(fromSdkRule(each)), each]));
  const deferred: DeferredRule[] = [];
  const keep = new Set<string>();
  const add: { rule: Rule; groupId: string | undefined }[] = [];
  const change: { rule: Rule; groupId: string | undefined; id: string }[] = [];
  for (const rule of wanted) {
    const groupId = await otherGroup(cloud, group, rule);
    if (rule.group !== undefined && groupId === undefined) {
      deferred.push({ isEgress, rule, missing: rule.group });
      continue;
    }
    const key = ruleKey({
      ...rule,
      ...(groupId === undefined ? {} : { group: groupId === group.id ? "self" : groupId }),
    });
    keep.add(key);
    const found = liveByKey.get(key);
    if (found === undefined) add.push({ rule, groupId });
    else if ((found.Description ?? "") !== (rule.description ?? "")) {
      change.push({ rule, groupId, id: found.SecurityGroupRuleId ?? "" });
    }
  }
  if (add.length > 0) {
    const request = { GroupId: group.id, IpPermissions: add.map(({ rule, groupId }) => toPermission(rule, groupId)) };
    if (isEgress) await ec2.authorizeSecurityGroupEgress(request);
    else await ec2.authorizeSecurityGroupIngress(request);
  }
  if (change.length > 0) {
    const updates = change.map(({ rule, groupId, id }) => ({
      SecurityGroupRuleId: id,
      SecurityGroupRule: toRuleRequest(rule, groupId),
    }));
    await ec2.modifySecurityGroupRules({ GroupId: group.id, SecurityGroupRules: updates });
  }
  const surplus = [...liveByKey].filter(([key]) => !keep.has(key)).map(([, each]) => each);
  await revoke(cloud, group.id, isEgress, surplus);
  return deferred;
}

/** Adds the rules at the end of the run, when the firewalls that they name are there. */
export function deferRules(region: string, name: string, group: Group, rules: readonly DeferredRule[]): Deferred {
  let left = rules;
  return {
    resource: name,
    async run(context) {
      const missing: DeferredRule[] = [];
      for (const rule of left) {
        if (!(await addDeferred(aws(context, region), group, rule))) missing.push(rule);
      }
      left = missing;
      const names = [...new Set(missing.map((rule) => `"${rule.missing}"`))];
      return names.length === 0
        ? undefined
        : `VPC ${group.vpcId} has no firewall ${names.join(", ")}, which a rule names`;
    },
  };
}

/** False where the other side still does not exist. */
async function addDeferred(cloud: Aws, group: Group, { isEgress, rule }: DeferredRule): Promise<boolean> {
  const groupId = await otherGroup(cloud, group, rule);
  if (groupId === undefined) return false;
  const request = { GroupId: group.id, IpPermissions: [toPermission(rule, groupId)] };
  const call = isEgress
    ? cloud.ec2.authorizeSecurityGroupEgress(request)
    : cloud.ec2.authorizeSecurityGroupIngress(request);
  await orNone<unknown>(call, "InvalidPermission.Duplicate");
  return true;
}

export async function revoke(
  { ec2 }: Aws,
  groupId: string,
  isEgress: boolean,
  rules: readonly SecurityGroupRule[],
): Promise<void> {
  if (rules.length === 0) return;
  const ids = rules.map(({ SecurityGroupRuleId }) => SecurityGroupRuleId ?? "");
  const request = { GroupId: groupId, SecurityGroupRuleIds: ids };
  const call = isEgress ? ec2.revokeSecurityGroupEgress(request) : ec2.revokeSecurityGroupIngress(request);
  await orAbsent<unknown>(call);
}

async function otherGroup(cloud: Aws, group: Group, { group: name }: Rule): Promise<string | undefined> {
  if (name === undefined) return undefined;
  if (name === "self") return group.id;
  return name.startsWith("sg-") ? name : resolveGroupName(cloud, group.vpcId, name);
}
