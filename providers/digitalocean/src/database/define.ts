import {
  alreadyExists,
  notFound,
  type Comparison,
  type DesiredState,
  type KnownState,
  type z,
} from "@wfctl/plugin-sdk";
import { given } from "../aliases.ts";
import { api, type Context } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { takenMessage } from "../naming.ts";
import { creationTags, tokenTag } from "../ownership.ts";
import { defineDoResource } from "../resources/define.ts";
import { readScopes, scopes } from "../permissions.ts";
import { hostSizes, sizing } from "../sizing.ts";
import { removeUnusedMarks, writeOwner } from "../tagging.ts";
import { awaitThat } from "../waiting.ts";
import {
  awaitOnline,
  changeCluster,
  describeCluster,
  findByToken,
  getCluster,
  listClusters,
  locateCluster,
  tagsOf,
  type Cluster,
} from "./clusters.ts";
import { databaseOutputs, type DatabaseInput, type DatabaseOutputs } from "./schema.ts";
import { pendingTags, resolveSources, sameSources } from "./sources.ts";
import { isNewer, syncCluster } from "./sync.ts";

/** A managed cluster: databases and caches differ in their engines alone. Names are unique in an account. */
export function defineCluster<Input extends DatabaseInput>(kind: {
  type: string;
  description: string;
  title: string;
  input: z.ZodType<Input>;
  fits: (cluster: Cluster) => boolean;
  /** What an enumeration of the type holds. @default fits */
  lists?: (cluster: Cluster) => boolean;
}) {
  const { fits, title, lists = fits } = kind;
  const locate = (ref: { id: string; name: string }, context: Context): Promise<Cluster | undefined> =>
    locateCluster(ref, context, title, fits);
  return defineDoResource<DatabaseInput, DatabaseOutputs>({
    type: kind.type,
    description: kind.description,
    input: kind.input as unknown as z.ZodType<DatabaseInput>,
    outputs: databaseOutputs,
    forceNew: ["name", "engine", "private_network_uuid"],
    writeOnly: ["project_id"],
    sensitiveOutputs: ["user", "password", "uri", "private_uri", "user_passwords"],
    unordered: ["tags", "trusted_sources", "databases", "users"],
    resetWhenUnset: [],
    onlyAtCreation: ["project_id"],
    convergentCreate: true,
    permissions: [
      ...scopes("database", "tag"),
      "database:view_credentials",
      ...readScopes("app", "kubernetes", "droplet"),
    ],
    timeouts: { create: 3_600_000, update: 7_200_000, delete: 600_000 },

    async create({ name: resource, input }, context) {
      const name = input.name ?? resource;
      const earlier = await findByToken(context, context.clientToken);
      if (earlier === undefined) {
        const taken = (await listClusters(context)).find((cluster) => cluster.name === name);
        if (taken !== undefined && !tagsOf(taken).includes(tokenTag(context.clientToken))) {
          return alreadyExists(takenMessage(context, { kind: title, name }, tagsOf(taken)));
        }
      }
      const made = earlier ?? (await makeCluster(context, name, input));
      context.partial(made.id);
      await syncCluster(context, await awaitOnline(context, made.id), input);
      const now = await describeCluster(context, await awaitOnline(context, made.id));
      return earlier === undefined ? { ...now, created: true } : now;
    },

    async read(ref, context) {
      const found = await locate(ref, context);
      return found === undefined ? notFound() : describeCluster(context, found);
    },

    async update(ref, { input }, context) {
      const found = await locate(ref, context);
      if (found === undefined) return notFound();
      await syncCluster(context, found.status === "online" ? found : await awaitOnline(context, found.id), input);
      return describeCluster(context, await awaitOnline(context, found.id));
    },

    async delete(ref, context) {
      const found = await locate(ref, context);
      if (found === undefined) return notFound();
      await orAbsent(api(context).delete(`databases/${found.id}`));
      await awaitThat(context, `${title} ${found.name} to be gone`, async () =>
        (await getCluster(context, found.id)) === undefined ? true : undefined,
      );
      await removeUnusedMarks(context, tagsOf(found));
      return undefined;
    },

    async lookup({ token }, context) {
      const found = await findByToken(context, token);
      return found === undefined || !fits(found) ? notFound() : describeCluster(context, found);
    },

    async import(id, context) {
      const found = await locate({ id, name: "" }, context);
      return found === undefined ? notFound() : describeCluster(context, found);
    },

    async *list(context) {
      for (const each of await listClusters(context)) if (lists(each)) yield describeCluster(context, each);
    },

    async setOwner(ref, owner, context) {
      const found = await locate(ref, context);
      if (found === undefined) return notFound();
      await writeOwner(context, { kind: "database", id: found.id }, tagsOf(found), owner);
      return undefined;
    },

    async scale(ref, replicas, context) {
      const found = await locate(ref, context);
      if (found === undefined) return notFound();
      return describeCluster(
        context,
        await changeCluster(context, found.id, "resize", { size: found.size, num_nodes: replicas }),
      );
    },

    diff: (desired, known, standard) => compareCluster(desired, known, standard),
    sizing: sizing(hostSizes.database),
  });
}

/** A source may be named by name; a version may be less precise than the live one; going back needs another cluster. */
function compareCluster(
  { input }: DesiredState<DatabaseInput>,
  { outputs }: KnownState,
  standard: Comparison,
): Comparison {
  const live = (outputs["trusted_sources"] ?? []) as unknown as DatabaseOutputs["trusted_sources"];
  const changes = standard.changes.flatMap((change) => {
    if (change.path === "trusted_sources" && sameSources(input.trusted_sources ?? [], live)) return [];
    if (change.path !== "version" || input.version === undefined || typeof change.old !== "string") return [change];
    if (change.old.startsWith(`${input.version}.`)) return [];
    return isNewer(input.version, change.old) ? [change] : [{ ...change, forceNew: true }];
  });
  return { changes };
}

async function makeCluster(context: Context, name: string, input: DatabaseInput): Promise<Cluster> {
  const { rules, pending } = await resolveSources(context, input.trusted_sources ?? []);
  const { database } = await api(context).post<{ database: Cluster }>(
    "databases",
    given({
      name,
      engine: input.engine,
      version: input.version,
      size: input.size,
      region: input.region ?? context.client.config.region,
      num_nodes: input.num_nodes,
      storage_size_mib: input.storage_size_mib,
      private_network_uuid: input.private_network_uuid,
      project_id: input.project_id ?? context.client.config.project_id,
      rules: rules.length > 0 ? rules : undefined,
      tags: [...creationTags(context, input.tags), ...pendingTags(pending)],
    }),
  );
  return database;
}
