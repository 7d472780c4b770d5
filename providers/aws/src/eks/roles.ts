import { canonicalJson, ProviderFailure } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { isAwsError, orAbsent } from "../errors.ts";
import { deleteRole, syncAttachedPolicies } from "../iam/role-parts.ts";
import { shortHash } from "../naming.ts";
import { partOfTag, partTags, tokenTag } from "../ownership.ts";
import { fromPairs, toPairs, type Tags } from "../tags.ts";
import type { ClusterPlace } from "./cluster.ts";

/** The two roles that a cluster has of its own where the configuration names none. */
export const roleKinds = ["control-plane", "nodes"] as const;
export type RoleKind = (typeof roleKinds)[number];

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
  await syncAttachedPolicies(cloud, role, policies);
  return made.Role?.Arn ?? "";
}

/** Deletes those roles that are the cluster's own. */
export async function removeRoles(cloud: Aws, place: ClusterPlace, kinds: readonly RoleKind[]): Promise<void> {
  for (const kind of kinds) {
    const role = roleNameOf(place, kind);
    const found = await orAbsent(cloud.iam.getRole({ RoleName: role }));
    if (fromPairs(found?.Role?.Tags)[partOfTag] === place.arn) await deleteRole(cloud, role);
  }
}

/** True where a role of the cluster is there that this token made: what a create leaves that did not come further. */
export async function hasRoleOf({ iam }: Aws, place: ClusterPlace, token: string): Promise<boolean> {
  const found = await Promise.all(
    roleKinds.map((kind) => orAbsent(iam.getRole({ RoleName: roleNameOf(place, kind) }))),
  );
  return found.some((answer) => {
    const tags = fromPairs(answer?.Role?.Tags);
    return tags[partOfTag] === place.arn && tags[tokenTag] === token;
  });
}

/** True where EKS cannot use a role yet that was made a moment ago. */
export function isRoleUnknownYet(error: unknown): boolean {
  return isAwsError(error, "InvalidParameterException", "InvalidRequestException") && /\brole\b/i.test(error.message);
}
