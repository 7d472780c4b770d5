import type { Role } from "@aws-sdk/client-iam";
import { isAlreadyExists, notFound, type NotFound, type ResourceState } from "@wfctl/plugin-sdk";
import { aws, type Aws, type Context } from "../calls.ts";
import { isAwsError, orAbsent } from "../errors.ts";
import {
  attachedPolicies,
  deleteRole,
  inlinePolicies,
  instanceProfileArn,
  roles,
  syncAttachedPolicies,
  syncInlinePolicies,
  syncInstanceProfile,
  trustOf,
  withFreshPrincipals,
} from "../iam/role-parts.ts";
import { optionalRoleKeys, roleInput, roleOutputs, type RoleInput, type RoleOutputs } from "../iam/role-schema.ts";
import { parseArn } from "../ids.ts";
import { managedKeys, managesMark } from "../managed.ts";
import { candidateNames, settleName } from "../naming.ts";
import { creationTags, currentTags, logicalName, ownerOf, partOfTag, searchTags, tokenTag } from "../ownership.ts";
import { fromPairs, tagChanges, toPairs, userTags } from "../tags.ts";
import { retryWhile } from "../waiting.ts";
import { asCreated, defineAwsResource } from "./define.ts";

type State = ResourceState<RoleInput, RoleOutputs>;

const maxNameLength = 64;

/** An IAM role with its policies. Its id is its ARN. */
export const iamRole = defineAwsResource<RoleInput, RoleOutputs>({
  type: "infra.iam_role",
  service: "iam",
  description: "IAM role",
  input: roleInput,
  outputs: roleOutputs,
  forceNew: ["role_name", "path"],
  resetWhenUnset: [...optionalRoleKeys],
  unordered: ["policy_arns"],
  settledBy: { role_name: "role_name" },
  createFirst: true,
  convergentCreate: true,
  settleMs: 15_000,
  timeouts: { create: 300_000, update: 300_000, delete: 300_000 },

  async create({ name, input }, context) {
    const cloud = aws(context);
    const names = { chosen: input.role_name, base: name, maxLength: maxNameLength, what: "Role" };
    const settled = await settleName(context, names, async (candidate) => {
      const role = await observe(cloud, candidate);
      return role === undefined ? undefined : { tags: fromPairs(role.Tags), found: role };
    });
    if (isAlreadyExists(settled)) return settled;
    const made = settled.made ?? (await makeRole(cloud, settled.name, name, input));
    context.partial(made.Arn ?? "", { arn: made.Arn ?? "", role_name: settled.name });
    const role = await retryWhile(context, ["NoSuchEntity"], `role ${settled.name} to be known`, () =>
      cloud.iam.getRole({ RoleName: settled.name }),
    );
    await sync(cloud, role.Role ?? made, name, input);
    return asCreated(await describeNow(cloud, settled.name), settled.made === undefined);
  },

  async read(ref, context) {
    const cloud = aws(context);
    const role = await observe(cloud, ref.id === "" ? ref.name : ref.id);
    return role === undefined ? notFound() : describe(cloud, role);
  },

  async update(ref, { name, input }, context) {
    const cloud = aws(context);
    const role = await observe(cloud, ref.id);
    if (role === undefined) return notFound(`Role "${roleNameOf(ref.id)}" does not exist`);
    await sync(cloud, role, name, input);
    return describeNow(cloud, roleNameOf(ref.id));
  },

  async delete(ref, context) {
    const cloud = aws(context);
    const isOther = ref.id.startsWith("arn:") && (await observe(cloud, roleNameOf(ref.id))) !== undefined;
    if (isOther && (await observe(cloud, ref.id)) === undefined) return notFound();
    // Its instance profile may be left where the role itself is gone.
    return deleteRole(cloud, roleNameOf(ref.id));
  },

  async lookup({ token, name }, context) {
    const cloud = aws(context);
    const isIt = async (candidate: string): Promise<State | undefined> => {
      const role = await observe(cloud, candidate);
      return role !== undefined && fromPairs(role.Tags)[tokenTag] === token ? describe(cloud, role) : undefined;
    };
    for (const candidate of candidateNames(name, token, maxNameLength)) {
      const found = await isIt(candidate);
      if (found !== undefined) return found;
    }
    for await (const role of roles(cloud)) {
      const found = await isIt(role.RoleName ?? "");
      if (found !== undefined) return found;
    }
    return notFound();
  },

  import: (id, context) => importRole(id, context),

  async *list(context) {
    const cloud = aws(context);
    for await (const { RoleName: name = "", Path: path = "" } of roles(cloud)) {
      const role = path.startsWith("/aws-service-role/") ? undefined : await observe(cloud, name);
      // The parts of a service or a cluster are found as such.
      if (role !== undefined && fromPairs(role.Tags)[partOfTag] === undefined)
        yield describe(cloud, role, { inputs: false });
    }
  },

  async setMarks(ref, marks, context) {
    const tagged = await orAbsent(aws(context).iam.tagRole({ RoleName: roleNameOf(ref.id), Tags: toPairs(marks) }));
    return tagged === undefined ? notFound() : undefined;
  },
});

/** Name of a role in its ARN, or the text itself. */
function roleNameOf(id: string): string {
  const resource = parseArn(id)?.resource;
  return resource === undefined ? id : (resource.split("/").at(-1) ?? id);
}

/** By name, or by ARN: a role of the same name with another path is another role. */
async function observe({ iam }: Aws, id: string): Promise<Role | undefined> {
  const name = roleNameOf(id);
  if (!/^[\w+=,.@-]{1,64}$/.test(name)) return undefined;
  const role = (await orAbsent(iam.getRole({ RoleName: name })))?.Role;
  return id.startsWith("arn:") && role?.Arn !== id ? undefined : role;
}

async function makeRole(cloud: Aws, roleName: string, name: string, input: RoleInput): Promise<Role> {
  const { iam, context } = cloud;
  const tags = { ...creationTags(context, name, input.tags), ...managesMark(input, optionalRoleKeys) };
  try {
    const { Role: role = {} as Role } = await withFreshPrincipals(cloud, () =>
      iam.createRole({
        RoleName: roleName,
        Path: input.path,
        AssumeRolePolicyDocument: input.assume_role_policy,
        Description: input.description,
        MaxSessionDuration: input.max_session_duration,
        ...(input.permissions_boundary === undefined ? {} : { PermissionsBoundary: input.permissions_boundary }),
        Tags: toPairs(tags),
      }),
    );
    return role;
  } catch (error) {
    // An earlier attempt of this action may have made it after it was looked for.
    const role = isAwsError(error, "EntityAlreadyExists") ? await observe(cloud, roleName) : undefined;
    if (role === undefined || fromPairs(role.Tags)[tokenTag] !== context.clientToken) throw error;
    return role;
  }
}

async function sync(cloud: Aws, role: Role, name: string, input: RoleInput): Promise<void> {
  const { iam } = cloud;
  const { RoleName: roleName = "" } = role;
  const live = fromPairs(role.Tags);
  const managed = managedKeys(live, optionalRoleKeys);
  const wants = (key: (typeof optionalRoleKeys)[number]): boolean => input[key] !== undefined || managed.includes(key);

  if (trustOf(role) !== input.assume_role_policy) {
    const trust = { RoleName: roleName, PolicyDocument: input.assume_role_policy };
    await withFreshPrincipals(cloud, () => iam.updateAssumeRolePolicy(trust));
  }
  if (
    (role.Description ?? "") !== input.description ||
    (role.MaxSessionDuration ?? 3600) !== input.max_session_duration
  ) {
    await iam.updateRole({
      RoleName: roleName,
      Description: input.description,
      MaxSessionDuration: input.max_session_duration,
    });
  }
  const boundary = role.PermissionsBoundary?.PermissionsBoundaryArn;
  if (wants("permissions_boundary") && boundary !== input.permissions_boundary) {
    if (input.permissions_boundary === undefined) await iam.deleteRolePermissionsBoundary({ RoleName: roleName });
    else await iam.putRolePermissionsBoundary({ RoleName: roleName, PermissionsBoundary: input.permissions_boundary });
  }
  if (wants("policy_arns")) await syncAttachedPolicies(cloud, roleName, input.policy_arns ?? []);
  if (wants("inline_policies")) await syncInlinePolicies(cloud, roleName, input.inline_policies ?? {});
  const tags = { ...currentTags(cloud.context, name, input.tags, live), ...managesMark(input, optionalRoleKeys) };
  await syncInstanceProfile(cloud, roleName, input.instance_profile, { ...live, ...tags });
  const { set, remove } = tagChanges(live, tags);
  if (Object.keys(set).length > 0) await iam.tagRole({ RoleName: roleName, Tags: toPairs(set) });
  if (remove.length > 0) await iam.untagRole({ RoleName: roleName, TagKeys: remove });
}

/** The role as it is after a write, without inputs: the ones just applied stand in for them. */
async function describeNow(cloud: Aws, roleName: string): Promise<State> {
  const { Role: role = {} as Role } = await cloud.iam.getRole({ RoleName: roleName });
  return describe(cloud, role, { inputs: false });
}

async function describe(cloud: Aws, role: Role, options: { inputs?: boolean; all?: boolean } = {}): Promise<State> {
  const { inputs: withInputs = true, all = false } = options;
  const { RoleName: roleName = "", Arn: arn = "", RoleId: roleId = "", Description: description = "" } = role;
  const tags = fromPairs(role.Tags);
  const managed = all ? optionalRoleKeys : managedKeys(tags, optionalRoleKeys);
  const [policies, profile, inline] = await Promise.all([
    attachedPolicies(cloud, roleName),
    instanceProfileArn(cloud, roleName),
    withInputs && managed.includes("inline_policies") ? inlinePolicies(cloud, roleName) : undefined,
  ]);
  const boundary = role.PermissionsBoundary?.PermissionsBoundaryArn;
  const inputs: Partial<RoleInput> = {
    role_name: roleName,
    assume_role_policy: trustOf(role),
    description,
    path: role.Path ?? "/",
    ...(managed.includes("policy_arns") ? { policy_arns: policies } : {}),
    ...(inline === undefined ? {} : { inline_policies: inline }),
    ...(boundary !== undefined && managed.includes("permissions_boundary") ? { permissions_boundary: boundary } : {}),
    max_session_duration: role.MaxSessionDuration ?? 3600,
    instance_profile: profile !== undefined,
    tags: userTags(tags, { defaults: cloud.client.config.default_tags }),
  };
  return {
    id: arn,
    name: logicalName(tags, roleName),
    owner: ownerOf(tags),
    tags: searchTags(tags),
    outputs: {
      arn,
      role_id: roleId,
      role_name: roleName,
      description,
      policy_arns: policies,
      ...(profile === undefined ? {} : { instance_profile_arn: profile }),
      tags_all: tags,
    },
    ...(withInputs ? { inputs } : {}),
  };
}

async function importRole(id: string, context: Context): Promise<State | NotFound> {
  const cloud = aws(context);
  const role = await observe(cloud, id);
  return role === undefined ? notFound() : describe(cloud, role, { all: true });
}
