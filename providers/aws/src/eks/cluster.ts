import type { Cluster, UpdateClusterConfigRequest } from "@aws-sdk/client-eks";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { parseArn } from "../ids.ts";
import { isSame } from "../json.ts";
import { each } from "../paging.ts";
import { orUnoffered } from "../stand-in.ts";
import { awaitThat, retryWhile } from "../waiting.ts";
import { logTypes, type ClusterInput } from "./schema.ts";

export interface ClusterPlace {
  readonly arn: string;
  readonly region: string;
  readonly cluster: string;
}

export function clusterPlace(
  where: { partition: string; accountId: string; region: string },
  cluster: string,
): ClusterPlace {
  const { partition, accountId, region } = where;
  return { arn: `arn:${partition}:eks:${region}:${accountId}:cluster/${cluster}`, region, cluster };
}

/** The place that an ARN names; undefined where it is none of a cluster. */
export function parseClusterArn(text: string): ClusterPlace | undefined {
  const arn = parseArn(text);
  const [, cluster] = /^cluster\/([^/]+)$/.exec(arn?.resource ?? "") ?? [];
  return arn?.service !== "eks" || cluster === undefined ? undefined : { arn: text, region: arn.region, cluster };
}

export async function findCluster({ eks }: Aws, name: string): Promise<Cluster | undefined> {
  if (!/^[0-9A-Za-z][\w-]{0,99}$/.test(name)) return undefined;
  return (await orAbsent(eks.describeCluster({ name })))?.cluster;
}

export function clusterNames({ eks }: Aws): AsyncGenerator<string> {
  return each(async (token) => {
    const page = await eks.listClusters(token === undefined ? {} : { nextToken: token });
    return [page.clusters, page.nextToken] as const;
  });
}

/** Waits for a cluster that can be used and changed. */
export async function awaitActive(cloud: Aws, name: string): Promise<Cluster> {
  let status = "not there yet";
  return awaitThat(
    cloud.context,
    () => `cluster ${name} to be active (it is ${status})`,
    async () => {
      const found = await findCluster(cloud, name);
      status = found?.status ?? "not there yet";
      if (status === "FAILED" || status === "DELETING") {
        const why = (found?.health?.issues ?? []).map(({ code, message }) => `${code}: ${message}`).join("; ");
        throw new ProviderFailure("unknown", `Cluster "${name}" is ${status}${why === "" ? "" : ` (${why})`}`);
      }
      return status === "ACTIVE" ? found : undefined;
    },
  );
}

export async function awaitGone(cloud: Aws, name: string): Promise<void> {
  await awaitThat(cloud.context, `cluster ${name} to be gone`, async () =>
    (await findCluster(cloud, name)) === undefined ? true : undefined,
  );
}

/** Waits for the end of one change of a cluster or of one of its node groups. */
export async function awaitUpdate(
  cloud: Aws,
  cluster: string,
  update: { readonly id?: string | undefined; readonly type?: string | undefined } | undefined,
  nodegroup?: string,
): Promise<void> {
  const { eks, context } = cloud;
  const id = update?.id;
  if (id === undefined) return;
  const what = nodegroup === undefined ? `cluster ${cluster}` : `node group ${nodegroup} of cluster ${cluster}`;
  const request = { name: cluster, updateId: id, ...(nodegroup === undefined ? {} : { nodegroupName: nodegroup }) };
  await awaitThat(context, `${update?.type ?? "a change"} of ${what} to end`, async () => {
    const answer = await orUnoffered(cloud, "eks:DescribeUpdate", "a change counts as done when it is accepted", () =>
      orAbsent(eks.describeUpdate(request)).then((found) => ({ update: found?.update })),
    );
    const now = answer?.update;
    if (answer === undefined || now?.status === "Successful") return true;
    if (now?.status !== "Failed" && now?.status !== "Cancelled") return undefined;
    const why = (now.errors ?? []).map(({ errorCode, errorMessage }) => `${errorCode}: ${errorMessage}`).join("; ");
    throw new ProviderFailure("unknown", `${now.type ?? "Change"} of ${what} ended as ${now.status}: ${why}`);
  });
}

/** The logs that the control plane writes. */
export function enabledLogs(cluster: Cluster): ClusterInput["enabled_log_types"] {
  const on = (cluster.logging?.clusterLogging ?? []).filter(({ enabled }) => enabled === true);
  return on.flatMap(({ types }) => types ?? []);
}

/** Brings the control plane to what is wanted: one change after the other, as EKS demands. */
export async function syncCluster(cloud: Aws, live: Cluster, input: ClusterInput): Promise<void> {
  const { eks, context } = cloud;
  const { name = "" } = live;
  for (const change of configChanges(live, input)) {
    // Another change that has not ended yet, such as one of an attempt before, is waited for.
    const { update } = await retryWhile(context, ["ResourceInUseException"], `cluster ${name} to be free`, () =>
      eks.updateClusterConfig({ name, ...change }),
    );
    await awaitUpdate(cloud, name, update);
    await awaitActive(cloud, name);
  }
  for (const version of versionsBetween(name, live.version ?? "", input.version)) {
    const { update } = await retryWhile(context, ["ResourceInUseException"], `cluster ${name} to be free`, () =>
      eks.updateClusterVersion({ name, version }),
    );
    await awaitUpdate(cloud, name, update);
    await awaitActive(cloud, name);
  }
}

function configChanges(live: Cluster, input: ClusterInput): Omit<UpdateClusterConfigRequest, "name">[] {
  const changes: Omit<UpdateClusterConfigRequest, "name">[] = [];
  const vpc = live.resourcesVpcConfig ?? {};
  const wanted = {
    endpointPublicAccess: input.endpoint_public_access,
    endpointPrivateAccess: input.endpoint_private_access,
  };
  const isOpen =
    input.endpoint_public_access && !isSame(sorted(vpc.publicAccessCidrs), sorted(input.public_access_cidrs));
  const isReached =
    vpc.endpointPublicAccess === wanted.endpointPublicAccess &&
    vpc.endpointPrivateAccess === wanted.endpointPrivateAccess;
  if (!isReached || isOpen) {
    const cidrs = input.endpoint_public_access ? { publicAccessCidrs: input.public_access_cidrs } : {};
    changes.push({ resourcesVpcConfig: { ...wanted, ...cidrs } });
  }
  if (
    !isSame(sorted(vpc.subnetIds), sorted(input.subnet_ids)) ||
    !isSame(sorted(vpc.securityGroupIds), sorted(input.security_group_ids))
  ) {
    changes.push({ resourcesVpcConfig: { subnetIds: input.subnet_ids, securityGroupIds: input.security_group_ids } });
  }
  const logging = loggingOf(input);
  if (!isSame(sorted(enabledLogs(live)), sorted(input.enabled_log_types))) changes.push({ logging });
  const mode = live.accessConfig?.authenticationMode ?? input.authentication_mode;
  // From CONFIG_MAP there is only one way, with a stop.
  const path = mode === "CONFIG_MAP" && input.authentication_mode === "API" ? ["API_AND_CONFIG_MAP", "API"] : undefined;
  for (const next of path ?? (mode === input.authentication_mode ? [] : [input.authentication_mode])) {
    changes.push({ accessConfig: { authenticationMode: next as ClusterInput["authentication_mode"] } });
  }
  return changes;
}

export function loggingOf(input: ClusterInput): NonNullable<UpdateClusterConfigRequest["logging"]> {
  const off = logTypes.filter((type) => !input.enabled_log_types.includes(type));
  return {
    clusterLogging: [
      ...(input.enabled_log_types.length === 0 ? [] : [{ types: input.enabled_log_types, enabled: true }]),
      ...(off.length === 0 ? [] : [{ types: off, enabled: false }]),
    ],
  };
}

/** EKS goes up by one minor version at a time, and never down. */
function versionsBetween(name: string, live: string, wanted: string | undefined): string[] {
  if (wanted === undefined || wanted === live) return [];
  const minor = (version: string): number => Number(version.split(".")[1]);
  const [from, to] = [minor(live), minor(wanted)];
  if (to < from) {
    throw new ProviderFailure(
      "validation",
      `Cannot take cluster "${name}" from Kubernetes ${live} to ${wanted}: EKS only goes upwards`,
    );
  }
  return Array.from({ length: to - from }, (_, index) => `1.${from + index + 1}`);
}

const sorted = (items: readonly string[] | undefined): string[] => [...(items ?? [])].toSorted();
