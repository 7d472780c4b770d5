import type { Cluster } from "@aws-sdk/client-eks";
import { isAlreadyExists, notFound, ProviderFailure, type NotFound, type ResourceState } from "@wfctl/plugin-sdk";
import { aws, type Aws, type Context } from "../calls.ts";
import {
  awaitActive,
  awaitGone,
  clusterNames,
  clusterPlace,
  enabledLogs,
  findCluster,
  loggingOf,
  parseClusterArn,
  syncCluster,
  type ClusterPlace,
} from "../eks/cluster.ts";
import { kubeconfigOf } from "../eks/kubeconfig.ts";
import { groupKey, listNodeGroups, removeNodeGroups, syncNodeGroups, toInput } from "../eks/node-groups.ts";
import {
  ensureRole,
  isRoleUnknownYet,
  partialClusters,
  partTagsOf,
  removeRoles,
  roleKinds,
  roleNameOf,
} from "../eks/roles.ts";
import { clusterInput, clusterOutputs, type ClusterInput, type ClusterOutputs } from "../eks/schema.ts";
import { isAwsError, orAbsent } from "../errors.ts";
import { defined } from "../json.ts";
import { settleName, shortHash } from "../naming.ts";
import { creationTags, currentTags, logicalName, ownerOf, searchTags, tokenTag } from "../ownership.ts";
import { searchRegions } from "../regions.ts";
import { instanceTypes, isSize } from "../sizing.ts";
import { tagChanges, userTags, type Tags } from "../tags.ts";
import { retryIf, retryWhile } from "../waiting.ts";
import { asCreated, defineAwsResource, incompleteState } from "./define.ts";

type State = ResourceState<ClusterInput, ClusterOutputs>;

const maxNameLength = 100;
const roleKnownMs = 120_000;
/** Other node groups, and changes that have not ended, hold a cluster that is deleted. */
const freeMs = 300_000;

/** An EKS cluster with its roles and node groups. Its id is the cluster's ARN. */
export const k8sCluster = defineAwsResource<ClusterInput, ClusterOutputs>({
  type: "infra.k8s_cluster",
  service: "eks",
  description: "EKS cluster with node groups",
  input: clusterInput,
  outputs: clusterOutputs,
  forceNew: ["cluster_name", "region", "role_arn", "encryption_key_arn", "service_ipv4_cidr", "ip_family"],
  unordered: ["subnet_ids", "security_group_ids", "public_access_cidrs", "enabled_log_types", "node_groups"],
  sensitiveOutputs: ["kubeconfig"],
  settledBy: {
    cluster_name: "cluster_name",
    role_arn: "role_arn",
    version: "version",
    service_ipv4_cidr: "service_ipv4_cidr",
  },
  incomplete: { output: "status", input: "subnet_ids" },
  createFirst: true,
  convergentCreate: true,
  // A version never goes down again.
  irreversibleUpdate: true,
  settleMs: 20_000,
  timeouts: { create: 2_700_000, update: 7_200_000, delete: 2_700_000 },
  tier: 2,

  async create({ name, input }, context) {
    const cloud = aws(context, input.region);
    const where = await identityOf(cloud);
    const names = { chosen: input.cluster_name, base: name, maxLength: maxNameLength, what: "Cluster" };
    const settled = await settleName(context, names, async (candidate) => {
      const found = await findCluster(cloud, candidate);
      return found === undefined ? undefined : { tags: found.tags ?? {}, found };
    });
    if (isAlreadyExists(settled)) return settled;
    const place = clusterPlace(where, settled.name);
    context.partial(place.arn, { arn: place.arn, cluster_name: place.cluster });
    if (settled.made === undefined) await makeCluster(cloud, place, name, input);
    await sync(cloud, place, name, input);
    return asCreated(await describeNow(cloud, place), settled.made === undefined);
  },

  async read(ref, context) {
    return readCluster(ref.id === "" ? ref.name : ref.id, context);
  },

  async update(ref, { name, input }, context) {
    const { cloud, place } = await placeOf(ref.id, context);
    if ((await findCluster(cloud, place.cluster)) === undefined) {
      if ((await partTagsOf(cloud, place)) === undefined) return notFound(`Cluster "${place.cluster}" does not exist`);
      await makeCluster(cloud, place, name, input);
    }
    await sync(cloud, place, name, input);
    return describeNow(cloud, place);
  },

  async delete(ref, context) {
    const { cloud, place } = await placeOf(ref.id, context);
    // What is not there is not asked for its parts.
    const isThere = (await findCluster(cloud, place.cluster)) !== undefined;
    const groups = isThere ? await listNodeGroups(cloud, place.cluster) : [];
    const own = groups.filter((group) => groupKey(group, place) !== undefined);
    await removeNodeGroups(cloud, place.cluster, own);
    const others = groups.filter((group) => !own.includes(group)).map(({ nodegroupName }) => nodegroupName);
    if (others.length > 0) {
      throw new ProviderFailure(
        "validation",
        `Cannot delete cluster "${place.cluster}": others made its node groups ${others.join(", ")}; delete them first`,
      );
    }
    await retryWhile(
      context,
      ["ResourceInUseException"],
      `cluster ${place.cluster} to be free`,
      () => orAbsent(cloud.eks.deleteCluster({ name: place.cluster })),
      { timeoutMs: freeMs },
    );
    await awaitGone(cloud, place.cluster);
    await removeRoles(cloud, place, roleKinds);
  },

  async lookup({ token }, context) {
    const found = await searchRegions(context, async (cloud) => {
      const where = await identityOf(cloud);
      const others: ClusterPlace[] = [];
      for await (const name of clusterNames(cloud)) {
        const cluster = await findCluster(cloud, name);
        const place = clusterPlace(where, name);
        if (cluster?.tags?.[tokenTag] === token) return describe(cloud, place, cluster);
        others.push(place);
      }
      for await (const { place, tags } of partialClusters(cloud, others)) {
        if (tags[tokenTag] === token) return incomplete(place, tags);
      }
      return undefined;
    });
    return found ?? notFound();
  },

  import: (id, context) => readCluster(id, context, { all: true }),

  async *list(context) {
    const cloud = aws(context);
    const where = await identityOf(cloud);
    const places: ClusterPlace[] = [];
    for await (const name of clusterNames(cloud)) {
      const place = clusterPlace(where, name);
      places.push(place);
      const found = await findCluster(cloud, name);
      if (found !== undefined) yield describe(cloud, place, found);
    }
    for await (const { place, tags } of partialClusters(cloud, places)) yield incomplete(place, tags);
  },

  async setMarks(ref, marks, context) {
    const { cloud, place } = await placeOf(ref.id, context);
    const answer = await orAbsent(cloud.eks.tagResource({ resourceArn: place.arn, tags: marks }));
    return answer === undefined ? notFound() : undefined;
  },

  async health(ref, context) {
    const { cloud, place } = await placeOf(ref.id, context);
    const found = await findCluster(cloud, place.cluster);
    if (found === undefined) return { healthy: false, message: "does not exist" };
    const groups = await listNodeGroups(cloud, place.cluster);
    const bad = groups.filter(({ status }) => status !== "ACTIVE");
    const notes = bad.map(({ nodegroupName, status }) => `node group ${nodegroupName} is ${status}`);
    return {
      healthy: found.status === "ACTIVE" && bad.length === 0,
      message: [`cluster is ${found.status}`, ...notes].join(", "),
    };
  },

  sizing({ size }) {
    return isSize(size) ? { instanceType: instanceTypes[size], specs: {} } : undefined;
  },
});

async function identityOf({ client, context, region }: Aws) {
  const { accountId, partition } = await client.identity(context.signal);
  return { accountId, partition, region };
}

/** From an ARN, or from the name of a cluster in the provider's region. */
async function placeOf(id: string, context: Context): Promise<{ cloud: Aws; place: ClusterPlace }> {
  const place = parseClusterArn(id) ?? clusterPlace(await identityOf(aws(context)), id);
  return { cloud: aws(context, place.region), place };
}

async function makeCluster(cloud: Aws, place: ClusterPlace, name: string, input: ClusterInput): Promise<void> {
  const { eks, context } = cloud;
  const marks = { name, tags: input.tags };
  const role = input.role_arn ?? (await ensureRole(cloud, place, "control-plane", marks));
  const network = defined({ ipFamily: input.ip_family, serviceIpv4Cidr: input.service_ipv4_cidr });
  const request = {
    name: place.cluster,
    roleArn: role,
    resourcesVpcConfig: {
      subnetIds: input.subnet_ids,
      securityGroupIds: input.security_group_ids,
      endpointPublicAccess: input.endpoint_public_access,
      endpointPrivateAccess: input.endpoint_private_access,
      ...(input.endpoint_public_access ? { publicAccessCidrs: input.public_access_cidrs } : {}),
    },
    kubernetesNetworkConfig: network,
    logging: loggingOf(input),
    accessConfig: {
      authenticationMode: input.authentication_mode,
      bootstrapClusterCreatorAdminPermissions: true,
    },
    ...(input.version === undefined ? {} : { version: input.version }),
    ...(input.encryption_key_arn === undefined
      ? {}
      : { encryptionConfig: [{ resources: ["secrets"], provider: { keyArn: input.encryption_key_arn } }] }),
    clientRequestToken: shortHash(context.clientToken, 32),
    tags: creationTags(context, name, input.tags),
  };
  try {
    await retryIf(context, isRoleUnknownYet, "the role to be known to EKS", () => eks.createCluster(request), {
      timeoutMs: roleKnownMs,
    });
  } catch (error) {
    // An earlier attempt of this action may have made it after it was looked for.
    const found = isAwsError(error, "ResourceInUseException") ? await findCluster(cloud, place.cluster) : undefined;
    if (found?.tags?.[tokenTag] !== context.clientToken) throw error;
  }
}

/** Brings the cluster and all that belongs to it to what is wanted, from whatever is there. */
async function sync(cloud: Aws, place: ClusterPlace, name: string, input: ClusterInput): Promise<void> {
  const { eks, context } = cloud;
  const before = await awaitActive(cloud, place.cluster);
  if (before.roleArn?.endsWith(`/${roleNameOf(place, "control-plane")}`) === true) {
    await ensureRole(cloud, place, "control-plane", { name, tags: input.tags });
  }
  await syncCluster(cloud, before, input);
  const { tags: live = {}, version = "" } = await awaitActive(cloud, place.cluster);
  const { set, remove } = tagChanges(live, currentTags(context, name, input.tags, live));
  if (Object.keys(set).length > 0) await eks.tagResource({ resourceArn: place.arn, tags: set });
  if (remove.length > 0) await eks.untagResource({ resourceArn: place.arn, tagKeys: remove });
  const ownRole = (): Promise<string> => ensureRole(cloud, place, "nodes", { name, tags: input.tags });
  await syncNodeGroups(cloud, place, { name, input, ownRole }, version);
  const nodeRole = `/${roleNameOf(place, "nodes")}`;
  const groups = await listNodeGroups(cloud, place.cluster);
  if (groups.every((group) => group.nodeRole?.endsWith(nodeRole) !== true)) await removeRoles(cloud, place, ["nodes"]);
}

async function readCluster(id: string, context: Context, options: { all?: boolean } = {}): Promise<State | NotFound> {
  const { cloud, place } = await placeOf(id, context);
  const found = await findCluster(cloud, place.cluster);
  if (found !== undefined) return describe(cloud, place, found, options);
  const tags = await partTagsOf(cloud, place);
  return tags === undefined ? notFound() : incomplete(place, tags);
}

/** A cluster of which only roles are there. */
function incomplete(place: ClusterPlace, tags: Tags): State {
  const outputs: ClusterOutputs = {
    arn: place.arn,
    cluster_name: place.cluster,
    region: place.region,
    status: incompleteState,
    version: "",
    role_arn: "",
    subnet_ids: [],
    security_group_ids: [],
    node_groups: [],
    tags_all: tags,
  };
  const [name, owner] = [logicalName(tags, place.cluster), ownerOf(tags)];
  return { id: place.arn, name, owner, tags: searchTags(tags), outputs, status: "degraded" };
}

/** After a write: without inputs, which the input just applied stands in for. */
async function describeNow(cloud: Aws, place: ClusterPlace): Promise<State> {
  const found = await findCluster(cloud, place.cluster);
  if (found === undefined) {
    throw new ProviderFailure("unknown", `Cluster "${place.cluster}" was deleted while it was changed`);
  }
  const { inputs: _inputs, ...state } = await describe(cloud, place, found);
  return state;
}

async function describe(
  cloud: Aws,
  place: ClusterPlace,
  found: Cluster,
  options: { all?: boolean } = {},
): Promise<State> {
  const { tags = {}, resourcesVpcConfig: vpc = {}, kubernetesNetworkConfig: network = {} } = found;
  const groups = (await listNodeGroups(cloud, place.cluster)).flatMap((group) => {
    if (group.status === "DELETING") return [];
    const key = groupKey(group, place) ?? (options.all === true ? group.nodegroupName : undefined);
    return key === undefined ? [] : [{ key, group }];
  });
  const inputs = defined({
    cluster_name: place.cluster,
    region: place.region,
    version: found.version,
    role_arn: found.roleArn,
    subnet_ids: vpc.subnetIds ?? [],
    security_group_ids: vpc.securityGroupIds ?? [],
    endpoint_public_access: vpc.endpointPublicAccess ?? true,
    endpoint_private_access: vpc.endpointPrivateAccess ?? false,
    public_access_cidrs: vpc.publicAccessCidrs?.length === 0 ? undefined : vpc.publicAccessCidrs,
    enabled_log_types: enabledLogs(found),
    authentication_mode: found.accessConfig?.authenticationMode,
    encryption_key_arn: found.encryptionConfig?.[0]?.provider?.keyArn,
    service_ipv4_cidr: network.serviceIpv4Cidr,
    ip_family: network.ipFamily ?? "ipv4",
    node_groups: groups.map(({ group, key }) => toInput(group, key)),
    tags: userTags(tags, { defaults: cloud.client.config.default_tags }),
  });
  const outputs = defined({
    arn: place.arn,
    cluster_name: place.cluster,
    region: place.region,
    status: found.status ?? "",
    version: found.version ?? "",
    platform_version: found.platformVersion,
    endpoint: found.endpoint,
    certificate_authority_data: found.certificateAuthority?.data,
    oidc_issuer: found.identity?.oidc?.issuer,
    kubeconfig: kubeconfigOf(place, found),
    role_arn: found.roleArn ?? "",
    vpc_id: vpc.vpcId,
    subnet_ids: vpc.subnetIds ?? [],
    security_group_ids: vpc.securityGroupIds ?? [],
    cluster_security_group_id: vpc.clusterSecurityGroupId,
    service_ipv4_cidr: network.serviceIpv4Cidr,
    node_groups: groups.map(({ group, key }) => ({
      name: key,
      nodegroup_name: group.nodegroupName ?? "",
      arn: group.nodegroupArn ?? "",
      status: group.status ?? "",
      desired_size: group.scalingConfig?.desiredSize ?? 0,
      version: group.version ?? "",
      role_arn: group.nodeRole ?? "",
    })),
    tags_all: tags,
  });
  return {
    id: place.arn,
    name: logicalName(tags, place.cluster),
    owner: ownerOf(tags),
    tags: searchTags(tags),
    status: found.status === "ACTIVE" ? "running" : "unknown",
    outputs,
    inputs: inputs as Partial<ClusterInput>,
  };
}
