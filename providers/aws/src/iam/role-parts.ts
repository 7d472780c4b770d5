import type { InstanceProfile, Role } from "@aws-sdk/client-iam";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { AwsFailure, isAwsError, orAbsent, orNone } from "../errors.ts";
import { partOfTag, tokenTag } from "../ownership.ts";
import { collect, each } from "../paging.ts";
import { normalPolicyText } from "../policy.ts";
import { standInOf, tell } from "../stand-in.ts";
import { fromPairs, toPairs, type Tags } from "../tags.ts";
import { retryIf, retryWhile } from "../waiting.ts";

/** A principal that was just made is not known everywhere at once. */
const propagationMs = 60_000;

export function trustOf(role: Role): string {
  return normalPolicyText(decodeURIComponent(role.AssumeRolePolicyDocument ?? ""));
}

/** A trust policy may name a role or user that was made a moment ago. */
export async function withFreshPrincipals<Answer>({ context }: Aws, call: () => Promise<Answer>): Promise<Answer> {
  const isUnknownPrincipal = (error: unknown): boolean =>
    error instanceof AwsFailure && /invalid principal/i.test(error.message);
  return retryIf(context, isUnknownPrincipal, "the principals of the trust policy to be known", call, {
    timeoutMs: propagationMs,
  });
}

export function roles({ iam }: Aws): AsyncGenerator<Role> {
  return each(async (marker) => {
    const page = await iam.listRoles(marker === undefined ? {} : { Marker: marker });
    return [page.Roles, page.IsTruncated === true ? page.Marker : undefined] as const;
  });
}

/** Tags of a role; undefined where there is none. */
export async function roleTags({ iam }: Aws, name: string): Promise<Tags | undefined> {
  const found = await orAbsent(iam.getRole({ RoleName: name }));
  return found === undefined ? undefined : fromPairs(found.Role?.Tags);
}

/** Tags of the roles that are parts of something: of those whose name fits and is not in `known`. */
export async function* partRoles(
  cloud: Aws,
  pattern: RegExp,
  known: ReadonlySet<string>,
): AsyncGenerator<{ role: string; tags: Tags }> {
  for await (const { RoleName: role = "" } of roles(cloud)) {
    if (!pattern.test(role) || known.has(role)) continue;
    const tags = await roleTags(cloud, role);
    if (tags?.[partOfTag] !== undefined) yield { role, tags };
  }
}

export async function attachedPolicies({ iam }: Aws, role: string): Promise<string[]> {
  const policies = await collect(async (marker) => {
    const page = await iam.listAttachedRolePolicies({
      RoleName: role,
      ...(marker === undefined ? {} : { Marker: marker }),
    });
    return [page.AttachedPolicies, page.IsTruncated === true ? page.Marker : undefined] as const;
  });
  return policies.map(({ PolicyArn }) => PolicyArn ?? "").toSorted();
}

/**
 * Attaches what is wanted and detaches the rest. `isOwn`: the role is made by the provider and not by the configuration;
 * where AWS is stood in for by a server without AWS's own policies, such a role goes without them.
 */
export async function syncAttachedPolicies(
  cloud: Aws,
  role: string,
  wanted: readonly string[],
  options: { readonly isOwn?: boolean } = {},
): Promise<void> {
  const { iam, context } = cloud;
  const live = await attachedPolicies(cloud, role);
  // First what is added: no instant with less than both the old and the new configuration grant.
  for (const arn of wanted.filter((each) => !live.includes(each))) {
    try {
      await iam.attachRolePolicy({ RoleName: role, PolicyArn: arn });
    } catch (error) {
      const address = await standInOf(cloud, "iam");
      if (address === undefined || !isAwsError(error, "NoSuchEntity") || !arn.includes(":iam::aws:")) throw error;
      const what = `${address} does not know AWS's own policy ${arn}`;
      if (options.isOwn !== true) {
        throw new ProviderFailure(error.class, `${error.message}; ${what}: load AWS's policies there, or name others`, {
          cause: error,
        });
      }
      tell(context, `${what}: role ${role} goes without it`);
    }
  }
  for (const arn of live.filter((each) => !wanted.includes(each))) {
    await orAbsent(iam.detachRolePolicy({ RoleName: role, PolicyArn: arn }));
  }
}

async function inlinePolicyNames({ iam }: Aws, role: string): Promise<string[]> {
  return collect(async (marker) => {
    const page = await iam.listRolePolicies({ RoleName: role, ...(marker === undefined ? {} : { Marker: marker }) });
    return [page.PolicyNames, page.IsTruncated === true ? page.Marker : undefined] as const;
  });
}

export async function inlinePolicies(cloud: Aws, role: string): Promise<Record<string, string>> {
  const names = await inlinePolicyNames(cloud, role);
  const documents = await Promise.all(
    names.map(async (name) => {
      const { PolicyDocument = "" } = await cloud.iam.getRolePolicy({ RoleName: role, PolicyName: name });
      return [name, normalPolicyText(decodeURIComponent(PolicyDocument))] as const;
    }),
  );
  return Object.fromEntries(documents);
}

export async function syncInlinePolicies(
  cloud: Aws,
  role: string,
  wanted: Readonly<Record<string, string>>,
): Promise<void> {
  const live = await inlinePolicies(cloud, role);
  for (const [name, document] of Object.entries(wanted)) {
    if (live[name] === document) continue;
    await cloud.iam.putRolePolicy({ RoleName: role, PolicyName: name, PolicyDocument: document });
  }
  for (const name of Object.keys(live).filter((each) => !(each in wanted))) {
    await orAbsent(cloud.iam.deleteRolePolicy({ RoleName: role, PolicyName: name }));
  }
}

/** The instance profile of the role's own name, which is the only one that a configuration can ask for. */
export async function instanceProfileArn(cloud: Aws, role: string): Promise<string | undefined> {
  const profiles = await profilesOf(cloud, role);
  return profiles.find(({ InstanceProfileName }) => InstanceProfileName === role)?.Arn;
}

function profilesOf({ iam }: Aws, role: string): Promise<InstanceProfile[]> {
  return collect(async (marker) => {
    const request = { RoleName: role, ...(marker === undefined ? {} : { Marker: marker }) };
    const page = await iam.listInstanceProfilesForRole(request);
    return [page.InstanceProfiles, page.IsTruncated === true ? page.Marker : undefined] as const;
  });
}

export async function syncInstanceProfile(cloud: Aws, role: string, wanted: boolean, tags: Tags): Promise<void> {
  const { iam } = cloud;
  const live = await instanceProfileArn(cloud, role);
  if (wanted && live === undefined) {
    const profile = { InstanceProfileName: role };
    await orNone(iam.createInstanceProfile({ ...profile, Tags: toPairs(tags) }), "EntityAlreadyExists");
    await iam.addRoleToInstanceProfile({ ...profile, RoleName: role });
  }
  if (!wanted && live !== undefined) await removeInstanceProfile(cloud, role, role);
}

/** Takes the role out of a profile, and deletes the profile where it is one of ours. */
async function removeInstanceProfile({ iam }: Aws, role: string, profile: string): Promise<void> {
  await orAbsent(iam.removeRoleFromInstanceProfile({ InstanceProfileName: profile, RoleName: role }));
  const found = await orAbsent(iam.getInstanceProfile({ InstanceProfileName: profile }));
  const tags = fromPairs(found?.InstanceProfile?.Tags);
  if (tags[tokenTag] !== undefined) await orAbsent(iam.deleteInstanceProfile({ InstanceProfileName: profile }));
}

/** Takes everything away that keeps a role from being deleted, and deletes it. Absence is success, at every step. */
export async function deleteRole(cloud: Aws, role: string): Promise<void> {
  const { iam, context } = cloud;
  if ((await orAbsent(iam.getRole({ RoleName: role }))) === undefined) return;
  for (const { InstanceProfileName: profile = "" } of await profilesOf(cloud, role)) {
    await removeInstanceProfile(cloud, role, profile);
  }
  await syncAttachedPolicies(cloud, role, []);
  await syncInlinePolicies(cloud, role, {});
  await retryWhile(
    context,
    ["DeleteConflict", "ConcurrentModification"],
    `role ${role} to be free`,
    () => orAbsent(iam.deleteRole({ RoleName: role })),
    { timeoutMs: propagationMs },
  );
}
