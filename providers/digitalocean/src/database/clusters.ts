import type { ResourceState } from "@wfctl/plugin-sdk";
import { api, type Context } from "../calls.ts";
import { ifServed, isStatus, orAbsent } from "../errors.ts";
import { isUuid, pickByName } from "../naming.ts";
import { ownerOf, tokenTag } from "../ownership.ts";
import { userTags } from "../tags.ts";
import { awaitThat, retryIf } from "../waiting.ts";
import type { DatabaseInput, DatabaseOutputs } from "./schema.ts";
import { nameRules, type Rule } from "./sources.ts";

interface Connection {
  readonly uri: string;
  readonly database: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface Cluster {
  readonly id: string;
  readonly name: string;
  readonly engine: DatabaseInput["engine"];
  readonly version: string;
  readonly num_nodes: number;
  readonly size: string;
  readonly region: string;
  readonly status: string;
  readonly private_network_uuid: string;
  readonly tags: readonly string[] | null;
  readonly connection?: Connection;
  readonly private_connection?: Connection;
  readonly users?: readonly { readonly name: string; readonly role: string; readonly password?: string }[] | null;
  readonly db_names?: readonly string[] | null;
  readonly maintenance_window?: { readonly day: string; readonly hour: string } | null;
  readonly storage_size_mib?: number;
}

export const tagsOf = ({ tags }: Cluster): readonly string[] => tags ?? [];

/** All clusters, or those with a tag. This list has no pages. */
export async function listClusters(context: Context, tag?: string): Promise<readonly Cluster[]> {
  const query = tag === undefined ? undefined : { tag_name: tag };
  const { databases } = await api(context).get<{ databases: readonly Cluster[] | null }>("databases", query);
  return databases ?? [];
}

export async function getCluster(context: Context, id: string): Promise<Cluster | undefined> {
  return (await orAbsent(api(context).get<{ database: Cluster }>(`databases/${id}`)))?.database;
}

export async function locateCluster(
  { id, name }: { id: string; name: string },
  context: Context,
  kind: string,
  fits: (cluster: Cluster) => boolean,
): Promise<Cluster | undefined> {
  if (isUuid(id)) {
    const found = await getCluster(context, id);
    return found !== undefined && fits(found) ? found : undefined;
  }
  const wanted = id === "" ? name : id;
  const found = (await listClusters(context)).filter((cluster) => cluster.name === wanted && fits(cluster));
  return pickByName(context, { kind, name: wanted }, found, { id: (each) => each.id, tags: tagsOf });
}

export async function findByToken(context: Context, token: string): Promise<Cluster | undefined> {
  const tag = tokenTag(token);
  // The filter is not trusted: what it passes by mistake would be taken for this create's own.
  return (await listClusters(context, tag)).find((cluster) => tagsOf(cluster).includes(tag));
}

/** Waits until a cluster is online and has a connection. */
export async function awaitOnline(context: Context, id: string): Promise<Cluster> {
  let status = "creating";
  return awaitThat(
    context,
    () => `database cluster ${id} to be online (${status})`,
    async () => {
      const cluster = await getCluster(context, id);
      status = cluster?.status ?? "not visible yet";
      return cluster?.status === "online" && cluster.connection !== undefined ? cluster : undefined;
    },
  );
}

/** Sends a change once the cluster takes it, and waits until it is online again. */
export async function changeCluster(context: Context, id: string, path: string, body: object): Promise<Cluster> {
  const isBusy = (error: unknown): boolean =>
    isStatus(error, 409, 412, 422) && /not online|in progress|busy/i.test(error.message);
  await retryIf(context, isBusy, `database cluster ${id} to take a change`, () =>
    api(context).put(`databases/${id}/${path}`, body),
  );
  return awaitOnline(context, id);
}

export async function listRules(context: Context, id: string): Promise<readonly Rule[]> {
  const path = `databases/${id}/firewall`;
  return (await ifServed(api(context).get<{ rules?: readonly Rule[] | null }>(path)))?.rules ?? [];
}

/** Everything that can be read of a cluster. Parts that the engine does not have are not asked for. */
export async function describeCluster(
  context: Context,
  cluster: Cluster,
): Promise<ResourceState<DatabaseInput, DatabaseOutputs>> {
  const cloud = api(context);
  const { id, name, engine, version, size, region, num_nodes } = cluster;
  const isOnline = cluster.status === "online";
  const setting = async <Value>(path: string, key: string): Promise<Value | undefined> =>
    (await ifServed(cloud.get<Record<string, Value>>(`databases/${id}/${path}`)))?.[key];
  const [rules, evictionPolicy, sqlMode, config, ca] = await Promise.all([
    listRules(context, id),
    engine === "valkey" ? setting<DatabaseInput["eviction_policy"]>("eviction_policy", "eviction_policy") : undefined,
    engine === "mysql" ? setting<string>("sql_mode", "sql_mode") : undefined,
    engine === "kafka" || !isOnline ? undefined : setting<DatabaseInput["config"]>("config", "config"),
    isOnline ? setting<{ certificate: string }>("ca", "ca") : undefined,
  ]);
  const named = await nameRules(context, rules);
  const tags = userTags(tagsOf(cluster), context.client.config.default_tags);
  const { connection, private_connection: inside, maintenance_window: window } = cluster;
  const users = cluster.users ?? [];
  const shared = {
    name,
    engine,
    version,
    size,
    region,
    num_nodes,
    tags,
    private_network_uuid: cluster.private_network_uuid,
  };
  return {
    id,
    name,
    owner: ownerOf(tagsOf(cluster), context.owner),
    tags: tagsOf(cluster),
    status: isOnline ? "running" : "unknown",
    outputs: {
      ...shared,
      id,
      urn: `do:dbaas:${id}`,
      status: cluster.status,
      host: connection?.host ?? "",
      private_host: inside?.host ?? "",
      port: connection?.port ?? 0,
      database: connection?.database ?? "",
      user: connection?.user ?? "",
      password: connection?.password ?? "",
      uri: connection?.uri ?? "",
      private_uri: inside?.uri ?? "",
      user_passwords: Object.fromEntries(users.map((user) => [user.name, user.password ?? ""])),
      ca_certificate: ca === undefined ? "" : Buffer.from(ca.certificate, "base64").toString(),
      trusted_sources: named,
    },
    inputs: {
      ...shared,
      trusted_sources: rules.map(({ type, value }) => ({ type, value })),
      ...(cluster.storage_size_mib === undefined ? {} : { storage_size_mib: cluster.storage_size_mib }),
      ...(window === undefined || window === null
        ? {}
        : {
            maintenance_window: { day: window.day, hour: window.hour.slice(0, 5) } as NonNullable<
              DatabaseInput["maintenance_window"]
            >,
          }),
      ...(evictionPolicy === undefined ? {} : { eviction_policy: evictionPolicy }),
      ...(sqlMode === undefined ? {} : { sql_mode: sqlMode }),
      ...(config === undefined ? {} : { config }),
      databases: (cluster.db_names ?? []).filter((each) => each !== "defaultdb"),
      users: users.filter(({ role }) => role !== "primary").map((user) => user.name),
    },
  };
}
