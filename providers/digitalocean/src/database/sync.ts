import { given } from "../aliases.ts";
import { api, type Context } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { syncTags } from "../tagging.ts";
import { changeCluster, describeCluster, listRules, tagsOf, type Cluster } from "./clusters.ts";
import type { DatabaseInput } from "./schema.ts";
import { markPending, resolveSources, type Rule } from "./sources.ts";

/** Brings a cluster to what is wanted, each step only where it differs. A key that is not given is left alone. */
export async function syncCluster(context: Context, live: Cluster, input: DatabaseInput): Promise<void> {
  const { id } = live;
  const change = (path: string, body: object): Promise<Cluster> => changeCluster(context, id, path, body);
  await syncTags(context, { kind: "database", id }, tagsOf(live), input.tags);
  if (input.region !== undefined && input.region !== live.region) await change("migrate", { region: input.region });
  const storage = input.storage_size_mib;
  const grows = storage !== undefined && storage !== live.storage_size_mib;
  if (input.size !== live.size || input.num_nodes !== live.num_nodes || grows) {
    await change("resize", given({ size: input.size, num_nodes: input.num_nodes, storage_size_mib: storage }));
  }
  if (input.version !== undefined && isNewer(input.version, live.version))
    await change("upgrade", { version: input.version });
  await syncSettings(context, live, input);
  await syncMembers(context, id, {
    path: "dbs",
    live: (live.db_names ?? []).filter((name) => name !== "defaultdb"),
    wanted: input.databases,
  });
  const users = (live.users ?? []).filter(({ role }) => role !== "primary").map(({ name }) => name);
  await syncMembers(context, id, { path: "users", live: users, wanted: input.users });
  if (input.trusted_sources !== undefined) await syncSources(context, live, input.trusted_sources);
}

/** `18` is newer than `16.2`. Words that are no versions are not. */
export function isNewer(wanted: string, live: string): boolean {
  const parts = (text: string): number[] => text.split(".").map(Number);
  const [left, right] = [parts(wanted), parts(live)];
  for (let index = 0; index < left.length; index += 1) {
    const [a = 0, b = 0] = [left[index], right[index]];
    if (a !== b) return a > b;
  }
  return false;
}

async function syncSettings(context: Context, live: Cluster, input: DatabaseInput): Promise<void> {
  const cloud = api(context);
  const { inputs } = await describeCluster(context, live);
  const window = input.maintenance_window;
  if (
    window !== undefined &&
    (window.day !== inputs?.maintenance_window?.day || window.hour !== inputs.maintenance_window.hour)
  ) {
    await cloud.put(`databases/${live.id}/maintenance`, window);
  }
  const policy = input.eviction_policy;
  if (policy !== undefined && policy !== inputs?.eviction_policy) {
    await cloud.put(`databases/${live.id}/eviction_policy`, { eviction_policy: policy });
  }
  if (input.sql_mode !== undefined && input.sql_mode !== inputs?.sql_mode) {
    await cloud.put(`databases/${live.id}/sql_mode`, { sql_mode: input.sql_mode });
  }
  const changed = Object.entries(input.config ?? {}).filter(([key, value]) => inputs?.config?.[key] !== value);
  if (changed.length > 0) await cloud.patch(`databases/${live.id}/config`, { config: Object.fromEntries(changed) });
}

async function syncMembers(
  context: Context,
  id: string,
  { path, live, wanted }: { path: "dbs" | "users"; live: readonly string[]; wanted: readonly string[] | undefined },
): Promise<void> {
  if (wanted === undefined) return;
  const cloud = api(context);
  for (const name of wanted.filter((each) => !live.includes(each)))
    await cloud.post(`databases/${id}/${path}`, { name });
  for (const name of live.filter((each) => !wanted.includes(each))) {
    await orAbsent(cloud.delete(`databases/${id}/${path}/${encodeURIComponent(name)}`));
  }
}

async function syncSources(
  context: Context,
  live: Cluster,
  wanted: NonNullable<DatabaseInput["trusted_sources"]>,
): Promise<void> {
  const { rules, pending } = await resolveSources(context, wanted);
  await markPending(context, live.id, tagsOf(live), pending);
  await writeRules(context, live.id, rules);
}

/** Makes the rules of a cluster equal to these; those that are there keep their id. */
export async function writeRules(context: Context, id: string, wanted: readonly Rule[]): Promise<void> {
  const live = await listRules(context, id);
  const same = (a: Rule, b: Rule): boolean => a.type === b.type && a.value === b.value;
  const isEqual = live.length === wanted.length && wanted.every((rule) => live.some((each) => same(each, rule)));
  if (isEqual) return;
  const rules = wanted.map(({ type, value }) =>
    given({ uuid: live.find((each) => same(each, { type, value }))?.uuid, type, value }),
  );
  await api(context).put(`databases/${id}/firewall`, { rules });
}
