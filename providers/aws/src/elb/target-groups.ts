import type { LoadBalancer, TargetGroup } from "@aws-sdk/client-elastic-load-balancing-v2";
import { canonicalJson } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { defined, isSame } from "../json.ts";
import { shortHash } from "../naming.ts";
import { partOfTag, partTag, partTags } from "../ownership.ts";
import { collect } from "../paging.ts";
import { toPairs } from "../tags.ts";
import { retryWhile } from "../waiting.ts";
import type { BalancerInput, TargetGroupInput } from "./schema.ts";
import { tagsByArn } from "./tags.ts";

/** A target group of a load balancer of ours. */
export interface OwnGroup {
  readonly name: string;
  readonly arn: string;
  readonly group: TargetGroup;
}

/** All target groups that are parts of a load balancer, attached or not. */
export async function ownGroups(cloud: Aws, balancerArn: string): Promise<OwnGroup[]> {
  const { elbv2 } = cloud;
  const prefix = namePrefix(balancerArn);
  const all = await collect(async (marker) => {
    const page = await elbv2.describeTargetGroups(marker === undefined ? {} : { Marker: marker });
    return [page.TargetGroups, page.NextMarker] as const;
  });
  const candidates = all.filter(({ TargetGroupName: name }) => name?.startsWith(prefix) === true);
  const tags = await tagsByArn(
    cloud,
    candidates.map(({ TargetGroupArn }) => TargetGroupArn ?? ""),
  );
  return candidates.flatMap((group) => {
    const { TargetGroupArn: arn = "" } = group;
    const own = tags.get(arn);
    if (own?.[partOfTag] !== balancerArn) return [];
    return [{ name: (own[partTag] ?? "").replace(/^target-group\//, ""), arn, group }];
  });
}

/**
 * Makes the target groups that are missing and brings the others to what is wanted. A group whose port, protocol or kind
 * changes gets a successor of another name: the old one is removed later, when nothing leads to it any more.
 */
export async function ensureGroups(
  cloud: Aws,
  balancer: LoadBalancer,
  name: string,
  input: BalancerInput,
): Promise<Map<string, string>> {
  const balancerArn = balancer.LoadBalancerArn ?? "";
  const live = await ownGroups(cloud, balancerArn);
  const arns = new Map<string, string>();
  for (const [key, wanted] of Object.entries(input.target_groups)) {
    const physical = groupName(balancerArn, key, wanted);
    const found = live.find(({ group }) => group.TargetGroupName === physical)?.group;
    const group = found ?? (await makeGroup(cloud, balancer, name, { key, physical, wanted, tags: input.tags }));
    const arn = group.TargetGroupArn ?? "";
    arns.set(key, arn);
    await syncHealthCheck(cloud, group, wanted);
    await syncGroupAttributes(cloud, arn, wanted);
    if (wanted.targets !== undefined) await syncTargets(cloud, arn, wanted.targets);
  }
  return arns;
}

/** Deletes the groups of a load balancer that are not among these. */
export async function removeGroups(cloud: Aws, balancerArn: string, keep: ReadonlySet<string>): Promise<void> {
  const { elbv2, context } = cloud;
  for (const { arn, name } of await ownGroups(cloud, balancerArn)) {
    if (keep.has(arn)) continue;
    await retryWhile(
      context,
      ["ResourceInUse", "ResourceInUseException"],
      `target group ${name} to be free`,
      () => orAbsent(elbv2.deleteTargetGroup({ TargetGroupArn: arn })),
      { timeoutMs: 300_000 },
    );
  }
}

/** A group as the input has it. */
export async function readGroup(cloud: Aws, { arn, group }: OwnGroup, withTargets: boolean): Promise<TargetGroupInput> {
  const [attributes, health] = await Promise.all([
    groupAttributes(cloud, arn),
    withTargets ? cloud.elbv2.describeTargetHealth({ TargetGroupArn: arn }) : undefined,
  ]);
  const isSticky = attributes["stickiness.enabled"] === "true";
  const version = group.ProtocolVersion as TargetGroupInput["protocol_version"] | undefined;
  return defined({
    port: group.Port ?? 80,
    protocol: group.Protocol as TargetGroupInput["protocol"],
    protocol_version: version ?? "HTTP1",
    target_type: group.TargetType as TargetGroupInput["target_type"],
    health_check: defined({
      protocol: group.HealthCheckProtocol as "HTTP" | "HTTPS" | "TCP" | undefined,
      path: group.HealthCheckPath,
      port: group.HealthCheckPort,
      interval_seconds: group.HealthCheckIntervalSeconds,
      timeout_seconds: group.HealthCheckTimeoutSeconds,
      healthy_threshold: group.HealthyThresholdCount,
      unhealthy_threshold: group.UnhealthyThresholdCount,
      matcher: group.Matcher?.HttpCode ?? group.Matcher?.GrpcCode,
    }),
    deregistration_delay_seconds: Number(attributes["deregistration_delay.timeout_seconds"] ?? 300),
    slow_start_seconds: Number(attributes["slow_start.duration_seconds"] ?? 0),
    stickiness_seconds: isSticky ? Number(attributes["stickiness.lb_cookie.duration_seconds"] ?? 1) : 0,
    targets: health?.TargetHealthDescriptions?.map(({ Target: target }) =>
      defined({ id: target?.Id ?? "", port: target?.Port === group.Port ? undefined : target?.Port }),
    ),
  }) as TargetGroupInput;
}

/** Names are short and shared by the account: what cannot be changed later is part of the name. */
function groupName(balancerArn: string, key: string, wanted: TargetGroupInput): string {
  const { port, protocol, protocol_version: version, target_type: type } = wanted;
  const fixed = canonicalJson({ key, port, protocol, version, type });
  return `${namePrefix(balancerArn)}${shortHash(fixed)}`;
}

function namePrefix(balancerArn: string): string {
  const name = balancerArn.split("/").at(-2) ?? "";
  return `${name.slice(0, 13).replace(/-+$/, "")}-${shortHash(balancerArn)}-`;
}

async function makeGroup(
  { elbv2, context }: Aws,
  balancer: LoadBalancer,
  name: string,
  part: { key: string; physical: string; wanted: TargetGroupInput; tags: Readonly<Record<string, string>> },
): Promise<TargetGroup> {
  const { key, physical, wanted } = part;
  const tags = partTags(context, {
    of: balancer.LoadBalancerArn ?? "",
    key: `target-group/${key}`,
    name,
    tags: part.tags,
  });
  const isHttp = wanted.protocol === "HTTP" || wanted.protocol === "HTTPS";
  const { TargetGroups: made = [] } = await elbv2.createTargetGroup({
    Name: physical,
    Port: wanted.port,
    Protocol: wanted.protocol,
    ...(isHttp ? { ProtocolVersion: wanted.protocol_version } : {}),
    TargetType: wanted.target_type,
    VpcId: balancer.VpcId,
    ...healthCheckOf(wanted),
    Tags: toPairs(tags),
  });
  return made[0] ?? {};
}

function healthCheckOf({ health_check: check, protocol_version: version }: TargetGroupInput) {
  return defined({
    HealthCheckProtocol: check.protocol,
    HealthCheckPath: check.path,
    HealthCheckPort: check.port,
    HealthCheckIntervalSeconds: check.interval_seconds,
    HealthCheckTimeoutSeconds: check.timeout_seconds,
    HealthyThresholdCount: check.healthy_threshold,
    UnhealthyThresholdCount: check.unhealthy_threshold,
    Matcher:
      check.matcher === undefined
        ? undefined
        : version === "GRPC"
          ? { GrpcCode: check.matcher }
          : { HttpCode: check.matcher },
  });
}

async function syncHealthCheck({ elbv2 }: Aws, group: TargetGroup, wanted: TargetGroupInput): Promise<void> {
  const check = healthCheckOf(wanted);
  const live = Object.fromEntries(Object.keys(check).map((key) => [key, group[key as keyof TargetGroup]]));
  if (isSame(live, check)) return;
  await elbv2.modifyTargetGroup({ TargetGroupArn: group.TargetGroupArn ?? "", ...check });
}

async function groupAttributes({ elbv2 }: Aws, arn: string): Promise<Readonly<Record<string, string>>> {
  const { Attributes: pairs = [] } = await elbv2.describeTargetGroupAttributes({ TargetGroupArn: arn });
  return Object.fromEntries(pairs.map(({ Key, Value }) => [Key ?? "", Value ?? ""]));
}

async function syncGroupAttributes(cloud: Aws, arn: string, wanted: TargetGroupInput): Promise<void> {
  const live = await groupAttributes(cloud, arn);
  const isHttp = wanted.protocol === "HTTP" || wanted.protocol === "HTTPS";
  const sticky = wanted.stickiness_seconds;
  const attributes: Record<string, string> = {
    "deregistration_delay.timeout_seconds": String(wanted.deregistration_delay_seconds),
    "stickiness.enabled": String(sticky > 0),
    ...(isHttp ? { "slow_start.duration_seconds": String(wanted.slow_start_seconds) } : {}),
    ...(sticky > 0 ? { "stickiness.type": isHttp ? "lb_cookie" : "source_ip" } : {}),
    ...(sticky > 0 && isHttp ? { "stickiness.lb_cookie.duration_seconds": String(sticky) } : {}),
  };
  const changes = Object.entries(attributes).flatMap(([Key, Value]) => (live[Key] === Value ? [] : [{ Key, Value }]));
  if (changes.length === 0) return;
  await cloud.elbv2.modifyTargetGroupAttributes({ TargetGroupArn: arn, Attributes: changes });
}

async function syncTargets(
  { elbv2 }: Aws,
  arn: string,
  wanted: readonly { readonly id: string; readonly port?: number | undefined }[],
): Promise<void> {
  const { TargetHealthDescriptions: live = [] } = await elbv2.describeTargetHealth({ TargetGroupArn: arn });
  const groups = await elbv2.describeTargetGroups({ TargetGroupArns: [arn] });
  const port = groups.TargetGroups?.[0]?.Port;
  const keyOf = (id: string | undefined, own: number | undefined): string => `${id}:${own ?? port}`;
  const present = new Map(live.map(({ Target: target }) => [keyOf(target?.Id, target?.Port), target]));
  const names = new Set(wanted.map((target) => keyOf(target.id, target.port)));
  const add = wanted.filter((target) => !present.has(keyOf(target.id, target.port)));
  const remove = [...present].flatMap(([key, target]) => (names.has(key) || target?.Id === undefined ? [] : [target]));
  if (add.length > 0) {
    const targets = add.map(({ id, port: own }) => defined({ Id: id, Port: own }));
    await elbv2.registerTargets({ TargetGroupArn: arn, Targets: targets });
  }
  if (remove.length > 0) {
    const targets = remove.map((target) => defined({ Id: target.Id ?? "", Port: target.Port }));
    await elbv2.deregisterTargets({ TargetGroupArn: arn, Targets: targets });
  }
}
