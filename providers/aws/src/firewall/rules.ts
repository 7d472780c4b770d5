import type { IpPermission, SecurityGroupRule, SecurityGroupRuleRequest } from "@aws-sdk/client-ec2";
import { z } from "@wfctl/plugin-sdk";
import { nativeId } from "../ids.ts";
import { defined } from "../json.ts";

const ipv4 = z
  .string()
  .regex(/^\d{1,3}(?:\.\d{1,3}){3}\/(?:\d|[12]\d|3[0-2])$/, { error: 'expected an IPv4 range such as "10.0.0.0/8"' });
const ipv6 = z.string().regex(/^[0-9a-fA-F:]+\/\d{1,3}$/, { error: 'expected an IPv6 range such as "::/0"' });
const port = z.number().int().min(-1).max(65_535);

const rule = z.strictObject({
  protocol: z
    .union([z.enum(["tcp", "udp", "icmp", "icmpv6", "all", "-1"]), z.string().regex(/^\d{1,3}$/)])
    .default("tcp"),
  from_port: port.optional().describe("First port, or type of ICMP. Default: 0; with all protocols none"),
  to_port: port.optional().describe("Last port, or code of ICMP. Default: as from_port; -1 for ICMP"),
  port: port.optional().describe("One port, instead of from_port and to_port"),
  cidr: z.union([ipv4, ipv6]).optional(),
  cidrs: z.array(z.union([ipv4, ipv6])).optional(),
  group: nativeId("sg-0123")
    .optional()
    .describe("Security group on the other side: an id, self, or the name of another firewall in the same VPC"),
  prefix_list: nativeId("pl-0123").optional(),
  description: z.string().max(255).optional(),
});

/** One permission with one other side. */
export interface Rule {
  readonly protocol: string;
  /** Undefined with all protocols. */
  readonly from_port?: number | undefined;
  readonly to_port?: number | undefined;
  readonly cidr?: string | undefined;
  /** `self`, an id, or the name of another firewall. */
  readonly group?: string | undefined;
  readonly prefix_list?: string | undefined;
  readonly description?: string | undefined;
}

/** Rules as a user writes them, spread into one for each other side. Where none is named it is all of IPv4. */
export const ruleList = z.array(rule).transform((rules): Rule[] => {
  const spread = rules.flatMap((each) => {
    const all = each.protocol === "all" || each.protocol === "-1";
    const isIcmp = each.protocol === "icmp" || each.protocol === "icmpv6";
    const from = each.port ?? each.from_port ?? (isIcmp ? -1 : 0);
    const to = each.port ?? each.to_port ?? (isIcmp ? -1 : from);
    const base = defined({
      protocol: all ? "all" : each.protocol,
      ...(all ? {} : { from_port: from, to_port: to }),
      description: each.description,
    });
    const ranges = [...(each.cidrs ?? []), ...(each.cidr === undefined ? [] : [each.cidr])];
    const sides: Partial<Rule>[] = [
      ...ranges.map((cidr) => ({ cidr })),
      ...(each.group === undefined ? [] : [{ group: each.group }]),
      ...(each.prefix_list === undefined ? [] : [{ prefix_list: each.prefix_list }]),
    ];
    return (sides.length === 0 ? [{ cidr: "0.0.0.0/0" }] : sides).map((side) => ({ ...base, ...side }));
  });
  return [...new Map(spread.map((each) => [ruleKey(each), each])).values()];
});

/** What makes two rules one to AWS: all but the description. */
export function ruleKey(each: Rule): string {
  const { protocol, from_port: from, to_port: to, cidr, group, prefix_list: list } = each;
  return [protocol, from, to, cidr?.toLowerCase(), group, list].map((part) => part ?? "").join("|");
}

/** A live rule as the input has it. */
export function fromSdkRule(live: SecurityGroupRule): Rule {
  const all = live.IpProtocol === "-1";
  const group = live.ReferencedGroupInfo?.GroupId;
  return defined({
    protocol: all ? "all" : (live.IpProtocol ?? ""),
    ...(all ? {} : { from_port: live.FromPort, to_port: live.ToPort }),
    cidr: live.CidrIpv4 ?? live.CidrIpv6,
    group: group === live.GroupId ? "self" : group,
    prefix_list: live.PrefixListId,
    description: live.Description === "" ? undefined : live.Description,
  });
}

/** A rule for calls that authorise and revoke. `group`: the id behind its name. */
export function toPermission(each: Rule, group: string | undefined): IpPermission {
  const text = defined({ Description: each.description });
  return {
    IpProtocol: each.protocol === "all" ? "-1" : each.protocol,
    ...(each.from_port === undefined ? {} : { FromPort: each.from_port, ToPort: each.to_port }),
    ...(each.cidr === undefined
      ? {}
      : isIpv6(each.cidr)
        ? { Ipv6Ranges: [{ CidrIpv6: each.cidr, ...text }] }
        : { IpRanges: [{ CidrIp: each.cidr, ...text }] }),
    ...(group === undefined ? {} : { UserIdGroupPairs: [{ GroupId: group, ...text }] }),
    ...(each.prefix_list === undefined ? {} : { PrefixListIds: [{ PrefixListId: each.prefix_list, ...text }] }),
  };
}

/** The same for calls that change a rule in place. */
export function toRuleRequest(each: Rule, group: string | undefined): SecurityGroupRuleRequest {
  return defined({
    IpProtocol: each.protocol === "all" ? "-1" : each.protocol,
    FromPort: each.from_port ?? -1,
    ToPort: each.to_port ?? -1,
    CidrIpv4: each.cidr === undefined || isIpv6(each.cidr) ? undefined : each.cidr,
    CidrIpv6: each.cidr !== undefined && isIpv6(each.cidr) ? each.cidr : undefined,
    ReferencedGroupId: group,
    PrefixListId: each.prefix_list,
    Description: each.description ?? "",
  });
}

function isIpv6(range: string): boolean {
  return range.includes(":");
}
