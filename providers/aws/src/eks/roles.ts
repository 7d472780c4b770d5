import { canonicalJson, ProviderFailure } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { isAwsError, orAbsent } from "../errors.ts";
import { deleteRole, partRoles, roleTags, syncAttachedPolicies } from "../iam/role-parts.ts";
import { shortHash } from "../naming.ts";
import { partOfTag, partTags } from "../ownership.ts";
import { fromPairs, toPairs, type Tags } from "../tags.ts";
import { parseClusterArn, type ClusterPlace } from "./cluster.ts";

/** The two roles that a cluster has of its own where the configuration names none. */
export const roleKinds = ["control-plane", "nodes"] as const;
export type RoleKind = (typeof roleKinds)[number];

const rolePattern = /-[\da-f]{8}-(?:control-plane|nodes)$/;
const parts = {
  "control-plane": { service: "eks", policies: ["AmazonEKSClusterPolicy"] },
  nodes: {
    service: "ec2",
    policies: ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"],
  },
} as const;

export function roleNameOf({ arn, cluster }: ClusterPlace, kind: RoleKind): string {
  return `${cluster.slice(0, 40)}-${shortHash(arn)}-${kind}`;
}

/** ARN of the cluster's own role, made where it is missing. */
export async function ensureRole(
  cloud: Aws,
  place: ClusterPlace,
  kind: RoleKind,
  marks: { name: string; tags: Tags },
): Promise<string> {
  const { iam, client, context } = cloud;
  const role = roleNameOf(place, kind);
  const found = await orAbsent(iam.getRole({ RoleName: role }));
  if (found?.Role !== undefined && fromPairs(found.Role.Tags)[partOfTag] !== place.arn) {
    throw new ProviderFailure("validation", `Role "${role}" is not of cluster "${place.cluster}": set role_arn`);
  }
  const made =
    found ??
    (await iam.createRole({
      RoleName: role,
      AssumeRolePolicyDocument: canonicalJson({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { Service: `${parts[kind].service}.amazonaws.com` }, Action: "sts:AssumeRole" },
        ],
      }),
      Description: `Role of the EKS cluster ${place.cluster}: ${kind}`,
      Tags: toPairs(partTags(context, { of: place.arn, key: kind, ...marks })),
    }));
  const { partition } = await client.identity(context.signal);
  const policies = parts[kind].policies.map((policy) => `arn:${partition}:iam::aws:policy/${policy}`);
  await syncAttachedPolicies(cloud, role, policies, { isOwn: true });
  return made.Role?.Arn ?? "";
}

/** Deletes those roles that are the cluster's own. */
export async function removeRoles(cloud: Aws, place: ClusterPlace, kinds: readonly RoleKind[]): Promise<void> {
  for (const kind of kinds) {
    const role = roleNameOf(place, kind);
    if ((await roleTags(cloud, role))?.[partOfTag] === place.arn) await deleteRole(cloud, role);
  }
}

/** What there is of a cluster that is not there itself: the tags of one of its roles. */
export async function partTagsOf(cloud: Aws, place: ClusterPlace): Promise<Tags | undefined> {
  for (const kind of roleKinds) {
    const tags = await roleTags(cloud, roleNameOf(place, kind));
    if (tags?.[partOfTag] === place.arn) return tags;
  }
  return undefined;
}

/** Clusters of the region of which only roles are there: what a create or a delete leaves that was cut off. */
export async function* partialClusters(
  cloud: Aws,
  known: readonly ClusterPlace[],
): AsyncGenerator<{ place: ClusterPlace; tags: Tags }> {
  const seen = new Set(known.map(({ arn }) => arn));
  const used = known.flatMap((place) => roleKinds.map((kind) => roleNameOf(place, kind)));
  for await (const { tags } of partRoles(cloud, rolePattern, new Set(used))) {
    const place = parseClusterArn(tags[partOfTag] ?? "");
    if (place === undefined || place.region !== cloud.region || seen.has(place.arn)) continue;
    seen.add(place.arn);
    yield { place, tags };
  }
}

/** True where EKS cannot use a role yet that was made a moment ago. */
export function isRoleUnknownYet(error: unknown): boolean {
  return isAwsError(error, "InvalidParameterException", "InvalidRequestException") && /\brole\b/i.test(error.message);
}
