import type { Nodegroup } from "@aws-sdk/client-eks";
import { canonicalJson, ProviderFailure } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { isAwsError, orAbsent } from "../errors.ts";
import { defined, isSame } from "../json.ts";
import { shortHash } from "../naming.ts";
import { nameTag, partOfTag, partTag, partTags } from "../ownership.ts";
import { collect } from "../paging.ts";
import { tagChanges, type Tags } from "../tags.ts";
import { awaitThat, retryIf, retryWhile } from "../waiting.ts";
import { awaitUpdate, type ClusterPlace } from "./cluster.ts";
import { isRoleUnknownYet } from "./roles.ts";
import type { ClusterInput, NodeGroup } from "./schema.ts";

const roleKnownMs = 120_000;

export async function listNodeGroups({ eks }: Aws, cluster: string): Promise<Nodegroup[]> {
  const names = await collect(async (token) => {
    const request = { clusterName: cluster, ...(token === undefined ? {} : { nextToken: token }) };
    const page = await orAbsent(eks.listNodegroups(request));
    return [page?.nodegroups, page?.nextToken] as const;
  });
  const found = await Promise.all(
    names.map((name) => orAbsent(eks.describeNodegroup({ clusterName: cluster, nodegroupName: name }))),
  );
  return found.flatMap((answer) => answer?.nodegroup ?? []);
}

/** Name in the configuration of a node group that belongs to the cluster's resource; undefined of any other. */
export function groupKey({ tags = {} }: Nodegroup, place: ClusterPlace): string | undefined {
  return tags[partOfTag] === place.arn ? tags[partTag] : undefined;
}

/** A node group as the configuration would say it. */
export function toInput(group: Nodegroup, key: string): NodeGroup {
  const { scalingConfig: scaling = {}, taints = [] } = group;
  return defined({
    name: key,
    instance_types: group.instanceTypes ?? [],
    capacity_type: (group.capacityType ?? "ON_DEMAND") as NodeGroup["capacity_type"],
    ami_type: (group.amiType ?? "AL2023_x86_64_STANDARD") as NodeGroup["ami_type"],
    disk_size_gib: group.diskSize ?? 20,
    min_size: scaling.minSize ?? 0,
    max_size: scaling.maxSize ?? 1,
    desired_size: scaling.desiredSize ?? 0,
    max_unavailable: group.updateConfig?.maxUnavailable ?? 1,
    labels: group.labels ?? {},
    taints: taints.map(({ key: taint = "", value = "", effect = "NO_SCHEDULE" }) => ({ key: taint, value, effect })),
    subnet_ids: group.subnets,
    role_arn: group.nodeRole,
  }) as NodeGroup;
}

/** What makes two node groups two, because EKS cannot change it. */
function isReplaced(live: Nodegroup, wanted: NodeGroup): boolean {
  const isKept =
    isSame(live.instanceTypes, wanted.instance_types) &&
    (live.capacityType ?? "ON_DEMAND") === wanted.capacity_type &&
    live.amiType === wanted.ami_type &&
    live.diskSize === wanted.disk_size_gib &&
    (wanted.subnet_ids === undefined || isSame(live.subnets?.toSorted(), wanted.subnet_ids.toSorted())) &&
    (wanted.role_arn === undefined || live.nodeRole === wanted.role_arn);
  return !isKept || live.status === "CREATE_FAILED" || live.status === "DELETING";
}

/**
 * Brings the node groups to what is wanted: new ones beside the old, and only when all are there those go that are not
 * wanted any more. Node groups that others made stay alone.
 */
export async function syncNodeGroups(
  cloud: Aws,
  place: ClusterPlace,
  wanted: { readonly name: string; readonly input: ClusterInput; readonly ownRole: () => Promise<string> },
  version: string,
): Promise<void> {
  const live = await listNodeGroups(cloud, place.cluster);
  const kept: string[] = [];
  for (const group of wanted.input.node_groups) {
    const tags = partTags(cloud.context, {
      of: place.arn,
      key: group.name,
      name: wanted.name,
      tags: wanted.input.tags,
    });
    const same = live.filter(
      (each) => (groupKey(each, place) ?? each.nodegroupName) === group.name && !isReplaced(each, group),
    );
    const [found] = same;
    if (found === undefined) {
      const nodeRole = group.role_arn ?? (await wanted.ownRole());
      const subnets = group.subnet_ids ?? wanted.input.subnet_ids;
      kept.push(await makeNodeGroup(cloud, place, group, { live, nodeRole, tags, subnets }));
    } else {
      await changeNodeGroup(cloud, place, found, group, tags);
      kept.push(found.nodegroupName ?? "");
    }
  }
  for (const name of kept) {
    const group = await awaitNodeGroup(cloud, place.cluster, name);
    if (group.version === version) continue;
    const { update } = await retryWhile(
      cloud.context,
      ["ResourceInUseException"],
      `node group ${name} to be free`,
      () => cloud.eks.updateNodegroupVersion({ clusterName: place.cluster, nodegroupName: name, version }),
    );
    await awaitUpdate(cloud, place.cluster, update, name);
  }
  const gone = live.filter((each) => groupKey(each, place) !== undefined && !kept.includes(each.nodegroupName ?? ""));
  await removeNodeGroups(cloud, place.cluster, gone);
}

async function makeNodeGroup(
  cloud: Aws,
  place: ClusterPlace,
  group: NodeGroup,
  beside: { live: readonly Nodegroup[]; nodeRole: string; tags: Tags; subnets: string[] },
): Promise<string> {
  const { eks, context } = cloud;
  const { live, nodeRole, tags, subnets } = beside;
  const plain = live.every(({ nodegroupName }) => nodegroupName !== group.name);
  const fixed = [group.instance_types, group.capacity_type, group.ami_type, group.disk_size_gib, subnets, nodeRole];
  const suffixed = `${group.name}-${shortHash(canonicalJson(fixed))}`;
  const name = plain ? group.name : suffixed;
  // One of this name that failed to come up, or that is going.
  const stale = live.filter((each) => each.nodegroupName === name);
  await removeNodeGroups(cloud, place.cluster, stale);
  const request = {
    clusterName: place.cluster,
    nodegroupName: name,
    subnets,
    nodeRole,
    instanceTypes: group.instance_types,
    capacityType: group.capacity_type,
    amiType: group.ami_type,
    diskSize: group.disk_size_gib,
    scalingConfig: {
      minSize: group.min_size,
      maxSize: group.max_size,
      desiredSize: group.desired_size ?? group.min_size,
    },
    updateConfig: { maxUnavailable: group.max_unavailable },
    labels: group.labels,
    taints: group.taints,
    tags,
  };
  try {
    await retryIf(
      context,
      isRoleUnknownYet,
      "the role of the nodes to be known to EKS",
      () => eks.createNodegroup(request),
      {
        timeoutMs: roleKnownMs,
      },
    );
  } catch (error) {
    // An earlier attempt may have made it after the groups were listed.
    const found = isAwsError(error, "ResourceInUseException")
      ? await orAbsent(eks.describeNodegroup({ clusterName: place.cluster, nodegroupName: name }))
      : undefined;
    if (found?.nodegroup === undefined || groupKey(found.nodegroup, place) !== group.name) throw error;
  }
  return name;
}

async function changeNodeGroup(
  cloud: Aws,
  place: ClusterPlace,
  live: Nodegroup,
  wanted: NodeGroup,
  tags: Tags,
): Promise<void> {
  const { eks, context } = cloud;
  const { nodegroupName: name = "", nodegroupArn: arn = "" } = live;
  const now = toInput(live, wanted.name);
  const scaling = {
    minSize: wanted.min_size,
    maxSize: wanted.max_size,
    desiredSize: wanted.desired_size ?? Math.min(Math.max(now.desired_size ?? 0, wanted.min_size), wanted.max_size),
  };
  const labels = changedLabels(now.labels, wanted.labels);
  const goneTaints = now.taints.filter((taint) => !wanted.taints.some((each) => isSameTaint(each, taint)));
  const newTaints = wanted.taints.filter((taint) => !now.taints.some((each) => isSame(each, taint)));
  const change = defined({
    scalingConfig: isSame(scaling, live.scalingConfig) ? undefined : scaling,
    updateConfig:
      now.max_unavailable === wanted.max_unavailable ? undefined : { maxUnavailable: wanted.max_unavailable },
    labels,
    taints:
      goneTaints.length + newTaints.length === 0
        ? undefined
        : { addOrUpdateTaints: newTaints, removeTaints: goneTaints },
  });
  if (Object.keys(change).length > 0) {
    await awaitNodeGroup(cloud, place.cluster, name);
    const request = { clusterName: place.cluster, nodegroupName: name, ...change };
    const { update } = await retryWhile(context, ["ResourceInUseException"], `node group ${name} to be free`, () =>
      eks.updateNodegroupConfig(request as Parameters<typeof eks.updateNodegroupConfig>[0]),
    );
    await awaitUpdate(cloud, place.cluster, update, name);
  }
  const marks = [partOfTag, partTag, nameTag];
  const kept = Object.entries(tags).filter(([key]) => !key.startsWith("wfctl:") || marks.includes(key));
  const { set, remove } = tagChanges(live.tags ?? {}, Object.fromEntries(kept));
  if (Object.keys(set).length > 0) await eks.tagResource({ resourceArn: arn, tags: set });
  if (remove.length > 0) await eks.untagResource({ resourceArn: arn, tagKeys: remove });
}

/** EKS knows a taint by key and effect. */
function isSameTaint(a: NodeGroup["taints"][number], b: NodeGroup["taints"][number]): boolean {
  return a.key === b.key && a.effect === b.effect;
}

function changedLabels(live: Tags, wanted: Tags) {
  const addOrUpdateLabels = Object.fromEntries(Object.entries(wanted).filter(([key, value]) => live[key] !== value));
  const removeLabels = Object.keys(live).filter((key) => !(key in wanted));
  const isChanged = Object.keys(addOrUpdateLabels).length + removeLabels.length > 0;
  return isChanged ? { addOrUpdateLabels, removeLabels } : undefined;
}

async function awaitNodeGroup({ eks, context }: Aws, cluster: string, name: string): Promise<Nodegroup> {
  let status = "not there yet";
  return awaitThat(
    context,
    () => `node group ${name} of cluster ${cluster} to be active (it is ${status})`,
    async () => {
      const found = (await orAbsent(eks.describeNodegroup({ clusterName: cluster, nodegroupName: name })))?.nodegroup;
      status = found?.status ?? "not there yet";
      if (status === "CREATE_FAILED" || status === "DELETE_FAILED" || status === "DEGRADED") {
        const issues = found?.health?.issues ?? [];
        const why = issues.map(({ code, message }) => `${code}: ${message}`).join("; ");
        throw new ProviderFailure("unknown", `Node group "${name}" of cluster "${cluster}" is ${status}: ${why}`);
      }
      return status === "ACTIVE" ? found : undefined;
    },
  );
}

/** Deletes node groups and waits until they have gone. */
export async function removeNodeGroups(cloud: Aws, cluster: string, groups: readonly Nodegroup[]): Promise<void> {
  const { eks, context } = cloud;
  const names = groups.map(({ nodegroupName }) => nodegroupName ?? "");
  for (const name of names) {
    await retryWhile(context, ["ResourceInUseException"], `node group ${name} to be free`, () =>
      orAbsent(eks.deleteNodegroup({ clusterName: cluster, nodegroupName: name })),
    );
  }
  for (const name of names) {
    await awaitThat(context, `node group ${name} of cluster ${cluster} to be gone`, async () => {
      const found = (await orAbsent(eks.describeNodegroup({ clusterName: cluster, nodegroupName: name })))?.nodegroup;
      if (found?.status === "DELETE_FAILED") {
        const why = (found.health?.issues ?? []).map(({ code, message }) => `${code}: ${message}`).join("; ");
        throw new ProviderFailure("unknown", `Node group "${name}" of cluster "${cluster}" cannot be deleted: ${why}`);
      }
      return found === undefined ? true : undefined;
    });
  }
}
