import type { LogGroup } from "@aws-sdk/client-cloudwatch-logs";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import { canonicalJson } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { isAwsError, orAbsent, orNone } from "../errors.ts";
import { deleteRole, partRoles, roleTags, syncAttachedPolicies, syncInlinePolicies } from "../iam/role-parts.ts";
import { partOfTag, partTags } from "../ownership.ts";
import { collect } from "../paging.ts";
import { normalPolicyText } from "../policy.ts";
import { fromPairs, markPrefix, toLowerPairs, toPairs, type Tags } from "../tags.ts";
import {
  executionRoleOf,
  executionRolePattern,
  logGroupOf,
  logGroupPrefix,
  parseServiceArn,
  type ServicePlace,
} from "./names.ts";
import type { ServiceInput } from "./schema.ts";

/** On a cluster that was made because a service needed it. It goes when the last service has gone. */
const sharedClusterTag = `${markPrefix}made-for-services`;

/** Makes the cluster where there is none. */
export async function ensureCluster(cloud: Aws, cluster: string): Promise<void> {
  if ((await clusterTags(cloud, cluster)) !== undefined) return;
  const { default_tags: defaults } = cloud.client.config;
  await cloud.ecs.createCluster({
    clusterName: cluster,
    tags: toLowerPairs({ ...defaults, [sharedClusterTag]: "true" }),
  });
}

/** Deletes a cluster of ours in which nothing is left. */
export async function removeEmptyCluster(cloud: Aws, cluster: string): Promise<void> {
  const tags = await clusterTags(cloud, cluster);
  if (tags?.[sharedClusterTag] !== "true") return;
  // Another service may be about to be made in it: ECS refuses then.
  await orNone(
    orAbsent(cloud.ecs.deleteCluster({ cluster })),
    "ClusterContainsServicesException",
    "ClusterContainsTasksException",
    "ClusterContainsContainerInstancesException",
    "UpdateInProgressException",
  );
}

async function clusterTags({ ecs }: Aws, cluster: string): Promise<Record<string, string> | undefined> {
  const { clusters = [] } = await ecs.describeClusters({ clusters: [cluster], include: ["TAGS"] });
  const found = clusters.find(({ status }) => status === "ACTIVE" || status === "PROVISIONING");
  return found === undefined
    ? undefined
    : Object.fromEntries((found.tags ?? []).map(({ key, value }) => [key ?? "", value ?? ""]));
}

/** Name of the log group: the given one, or one of the service's own, made where it is missing. */
export async function ensureLogGroup(
  cloud: Aws,
  place: ServicePlace,
  name: string,
  input: ServiceInput,
): Promise<string> {
  if (input.log_group !== undefined) return input.log_group;
  const { logs, context } = cloud;
  const group = logGroupOf(place);
  if ((await findLogGroup(cloud, group)) === undefined) {
    const tags = partTags(context, { of: place.arn, key: "log-group", name, tags: input.tags });
    await orNone(logs.createLogGroup({ logGroupName: group, tags }), "ResourceAlreadyExistsException");
  }
  const live = await findLogGroup(cloud, group);
  if (live?.retentionInDays !== input.log_retention_days) {
    await logs.putRetentionPolicy({ logGroupName: group, retentionInDays: input.log_retention_days });
  }
  return group;
}

export async function findLogGroup(cloud: Aws, name: string): Promise<LogGroup | undefined> {
  return (await listLogGroups(cloud, name)).find(({ logGroupName }) => logGroupName === name);
}

async function listLogGroups({ logs }: Aws, prefix: string): Promise<LogGroup[]> {
  return collect(async (token) => {
    const page = await logs.describeLogGroups({
      logGroupNamePrefix: prefix,
      ...(token === undefined ? {} : { nextToken: token }),
    });
    return [page.logGroups, page.nextToken] as const;
  });
}

/** ARN of the execution role: the given one, or one of the service's own that may pull, log and read the secrets. */
export async function ensureExecutionRole(
  cloud: Aws,
  place: ServicePlace,
  name: string,
  input: ServiceInput,
): Promise<string> {
  if (input.execution_role_arn !== undefined) return input.execution_role_arn;
  const { iam, client, context } = cloud;
  const role = executionRoleOf(place);
  const tags = partTags(context, { of: place.arn, key: "execution-role", name, tags: input.tags });
  const found = await orAbsent(iam.getRole({ RoleName: role }));
  if (found?.Role !== undefined && fromPairs(found.Role.Tags)[partOfTag] !== place.arn) {
    throw new ProviderFailure(
      "validation",
      `Role "${role}" is not of service "${place.service}": set execution_role_arn`,
    );
  }
  const made =
    found ??
    (await iam.createRole({
      RoleName: role,
      AssumeRolePolicyDocument: canonicalJson({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" }],
      }),
      Description: `Execution role of the ECS service ${place.service}`,
      Tags: toPairs(tags),
    }));
  const { partition } = await client.identity(context.signal);
  const managed = `arn:${partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy`;
  await syncAttachedPolicies(cloud, role, [managed], { isOwn: true });
  const secrets = secretsPolicy(input);
  await syncInlinePolicies(cloud, role, secrets === undefined ? {} : { secrets });
  return made.Role?.Arn ?? "";
}

/** What the task needs to read its secrets: an ARN may end with a JSON key and a version. */
function secretsPolicy(input: ServiceInput): string | undefined {
  const all = [input.env_vars_secret, ...input.sidecars.map((each) => each.env_vars_secret)].flatMap(
    Object.values,
  ) as string[];
  const arns = [...new Set(all)]
    .filter((each) => each.startsWith("arn:"))
    .map((each) => each.split(":").slice(0, 7).join(":"));
  const secrets = arns.filter((arn) => arn.includes(":secretsmanager:"));
  const parameters = arns.filter((arn) => arn.includes(":ssm:"));
  const statements = [
    ...(secrets.length === 0 ? [] : [{ Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: secrets }]),
    ...(parameters.length === 0 ? [] : [{ Effect: "Allow", Action: "ssm:GetParameters", Resource: parameters }]),
  ];
  if (statements.length === 0) return undefined;
  return normalPolicyText(canonicalJson({ Version: "2012-10-17", Statement: statements }));
}

/** Deletes the log group and the execution role that belong to the service, as far as they are its own. */
export async function removeParts(cloud: Aws, place: ServicePlace): Promise<void> {
  const { logs } = cloud;
  const role = executionRoleOf(place);
  if ((await roleTags(cloud, role))?.[partOfTag] === place.arn) await deleteRole(cloud, role);
  const group = logGroupOf(place);
  const tags = await logGroupTags(cloud, group);
  if (tags[partOfTag] === place.arn) await orAbsent(logs.deleteLogGroup({ logGroupName: group }));
}

async function logGroupTags(cloud: Aws, name: string): Promise<Readonly<Record<string, string>>> {
  const group = await findLogGroup(cloud, name);
  if (group === undefined) return {};
  const arn = group.logGroupArn ?? (group.arn ?? "").replace(/:\*$/, "");
  const answer = await orAbsent(cloud.logs.listTagsForResource({ resourceArn: arn }));
  return answer?.tags ?? {};
}

/** What there is of a service that is not there itself: the tags of one of its parts. */
export async function partTagsOf(cloud: Aws, place: ServicePlace): Promise<Tags | undefined> {
  const group = await logGroupTags(cloud, logGroupOf(place));
  if (group[partOfTag] === place.arn) return group;
  const role = await roleTags(cloud, executionRoleOf(place));
  return role?.[partOfTag] === place.arn ? role : undefined;
}

/** Services of the region of which only parts are there: what a create or a delete leaves that was cut off. */
export async function* partialServices(
  cloud: Aws,
  known: readonly ServicePlace[],
): AsyncGenerator<{ place: ServicePlace; tags: Tags }> {
  const seen = new Set(known.map(({ arn }) => arn));
  const isNew = (place: ServicePlace | undefined): place is ServicePlace =>
    place !== undefined && place.region === cloud.region && !seen.has(place.arn);
  const groups = new Set(known.map(logGroupOf));
  for (const { logGroupName = "" } of await listLogGroups(cloud, logGroupPrefix)) {
    if (groups.has(logGroupName)) continue;
    const tags = await logGroupTags(cloud, logGroupName);
    const place = parseServiceArn(tags[partOfTag] ?? "");
    if (!isNew(place)) continue;
    seen.add(place.arn);
    yield { place, tags };
  }
  for await (const { tags } of partRoles(cloud, executionRolePattern, new Set(known.map(executionRoleOf)))) {
    const place = parseServiceArn(tags[partOfTag] ?? "");
    if (!isNew(place)) continue;
    seen.add(place.arn);
    yield { place, tags };
  }
}

/** True where ECS does not know a role or a listener yet that was made a moment ago. */
export function isNotReadyYet(error: unknown): boolean {
  const isDetached =
    isAwsError(error, "InvalidParameterException") &&
    error.message.includes("does not have an associated load balancer");
  return isDetached || isRoleUnknownYet(error);
}

/** True where ECS cannot use a role yet that was made a moment ago. */
export function isRoleUnknownYet(error: unknown): boolean {
  return (
    isAwsError(error, "ClientException", "InvalidParameterException") &&
    /assume|role .* (?:is invalid|does not exist|not found)|verify that the .*role/i.test(error.message)
  );
}
