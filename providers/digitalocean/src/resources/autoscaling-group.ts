import { alreadyExists, notFound, z, type ResourceState } from "@wfctl/plugin-sdk";
import { given, renameKeys } from "../aliases.ts";
import { api, collect, type Context } from "../calls.ts";
import { resolveKeys } from "../droplet/droplets.ts";
import { orAbsent } from "../errors.ts";
import { isUuid, pickByName, takenMessage } from "../naming.ts";
import { creationTags, ownerOf, tokenTag, withOwner } from "../ownership.ts";
import { region } from "../regions.ts";
import { dropletSizes, hostSizes, sizeOf, sizing } from "../sizing.ts";
import { removeUnusedMarks } from "../tagging.ts";
import { isMark, markPrefix, tagList, userTags } from "../tags.ts";
import { awaitThat } from "../waiting.ts";
import { readScopes, scopes } from "../permissions.ts";
import { defineDoResource } from "./define.ts";

interface Template {
  readonly size: string;
  readonly region: string;
  readonly image: string;
  readonly tags?: readonly string[] | null;
  readonly ssh_keys?: readonly string[] | null;
  readonly vpc_uuid?: string;
  readonly with_droplet_agent?: boolean;
  readonly project_id?: string;
  readonly ipv6?: boolean;
  readonly user_data?: string;
}

interface Pool {
  readonly id: string;
  readonly name: string;
  readonly status: "active" | "deleting" | "error";
  readonly active_resources_count: number;
  readonly config: {
    readonly min_instances?: number;
    readonly max_instances?: number;
    readonly target_cpu_utilization?: number;
    readonly target_memory_utilization?: number;
    readonly cooldown_minutes?: number;
    readonly target_number_instances?: number;
  };
  readonly droplet_template: Template;
  readonly created_at: string;
}

const count = z.coerce.number().int().min(1);
/** A share of one, or percent. */
const utilization = z.coerce
  .number()
  .min(0.05)
  .max(100)
  .transform((value) => (value > 1 ? value / 100 : value));

const input = z
  .strictObject({
    name: z.string().min(1).optional().describe("Default: the resource's name"),
    min_instances: count.max(500).optional(),
    max_instances: count.max(1000).optional(),
    min_capacity: count.max(500).optional().describe("Alias of min_instances"),
    max_capacity: count.max(1000).optional().describe("Alias of max_instances"),
    target_cpu_utilization: utilization.optional().describe("0.05 to 1, or percent"),
    target_memory_utilization: utilization.optional().describe("0.05 to 1, or percent"),
    cooldown_minutes: z.coerce.number().int().min(5).max(20).optional(),
    instance_count: count.max(1000).optional().describe("A fixed number, instead of all keys above"),
    size: sizeOf(dropletSizes).default("s-1vcpu-2gb"),
    image: z.union([z.string().min(1), z.number().int().transform(String)]).default("ubuntu-24-04-x64"),
    region,
    ssh_keys: z
      .array(z.union([z.string(), z.number().int().transform(String)]))
      .min(1)
      .describe("Names, fingerprints or ids"),
    tags: tagList.describe("Of the droplets"),
    vpc_uuid: z.string().optional(),
    vpc_ref: z.string().optional().describe("Alias of vpc_uuid"),
    user_data: z.string().optional(),
    ipv6: z.boolean().default(false),
    droplet_agent: z.boolean().optional(),
    project_id: z.string().optional(),
  })
  .transform(renameKeys({ min_capacity: "min_instances", max_capacity: "max_instances", vpc_ref: "vpc_uuid" }))
  .superRefine((value, { addIssue }) => {
    const fail = (path: string, message: string): void => addIssue({ code: "custom", path: [path], message });
    const { min_instances: min, max_instances: max, instance_count: fixed } = value;
    const hasTarget = value.target_cpu_utilization !== undefined || value.target_memory_utilization !== undefined;
    if (fixed !== undefined) {
      if (min !== undefined || max !== undefined || hasTarget)
        fail("instance_count", "excludes min_instances, max_instances and targets");
      return;
    }
    if (min === undefined || max === undefined)
      fail("min_instances", "min_instances and max_instances are required, or instance_count");
    else if (min > max) fail("min_instances", `${min} is more than max_instances, ${max}`);
    if (!hasTarget) fail("target_cpu_utilization", "a target for CPU or memory is required");
  });
type PoolInput = z.output<typeof input>;

const outputs = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  size: z.string(),
  region: z.string(),
  active_resources_count: z.number(),
  droplet_ids: z.array(z.number()),
  ssh_keys: z.array(z.object({ id: z.string(), fingerprint: z.string(), name: z.string() })),
  created_at: z.string(),
});
type Outputs = z.output<typeof outputs>;

/** The droplets of a pool carry its template's tags: marks of the pool are not to be taken for marks of droplets. */
const poolPrefix = `${markPrefix}pool-`;
const toPoolTag = (tag: string): string => (isMark(tag) ? tag.replace(markPrefix, poolPrefix) : tag);
const fromPoolTag = (tag: string): string => (tag.startsWith(poolPrefix) ? tag.replace(poolPrefix, markPrefix) : tag);
const marksOf = ({ droplet_template: template }: Pool): string[] => (template.tags ?? []).map(fromPoolTag);

/** A droplet autoscale pool. Its marks are tags of its template. */
export const autoscalingGroup = defineDoResource<PoolInput, Outputs>({
  type: "infra.autoscaling_group",
  description: "Droplet autoscale pool",
  input,
  outputs,
  sensitiveInputs: ["user_data"],
  unordered: ["tags", "ssh_keys"],
  resetWhenUnset: [
    "target_cpu_utilization",
    "target_memory_utilization",
    "instance_count",
    "min_instances",
    "max_instances",
  ],
  onlyAtCreation: ["project_id"],
  convergentCreate: true,
  permissions: [...scopes("droplet", "tag"), ...readScopes("ssh_key", "vpc")],
  timeouts: { create: 1_200_000, update: 1_200_000, delete: 1_200_000 },

  async create({ name: resource, input: wanted }, context) {
    const name = wanted.name ?? resource;
    const pools = await collect(api(context).list<Pool>("droplets/autoscale", "autoscale_pools"));
    const earlier = pools.find((pool) => marksOf(pool).includes(tokenTag(context.clientToken)));
    const taken = pools.find((pool) => pool.name === name);
    if (earlier === undefined && taken !== undefined) {
      return alreadyExists(takenMessage(context, { kind: "Autoscale pool", name }, marksOf(taken)));
    }
    const tags = creationTags(context, wanted.tags);
    const made =
      earlier ??
      (
        await api(context).post<{ autoscale_pool: Pool }>(
          "droplets/autoscale",
          await bodyOf(context, name, wanted, tags),
        )
      ).autoscale_pool;
    context.partial(made.id);
    const now = await describe(context, await awaitFilled(context, made.id));
    return earlier === undefined ? { ...now, created: true } : now;
  },

  async read(ref, context) {
    const pool = await locate(ref, context);
    return pool === undefined ? notFound() : describe(context, pool);
  },

  async update(ref, { input: wanted }, context) {
    const pool = await locate(ref, context);
    if (pool === undefined) return notFound();
    const marks = marksOf(pool).filter(isMark);
    const tags = [...new Set([...context.client.config.default_tags, ...wanted.tags, ...marks])];
    await api(context).put(
      `droplets/autoscale/${pool.id}`,
      await bodyOf(context, wanted.name ?? pool.name, wanted, tags, pool),
    );
    return describe(context, await awaitFilled(context, pool.id));
  },

  async delete(ref, context) {
    const pool = await locate(ref, context);
    if (pool === undefined) return notFound();
    // With its droplets: without a pool nothing would ever delete them.
    await orAbsent(
      api(context).delete(`droplets/autoscale/${pool.id}/dangerous`, { headers: { "x-dangerous": "true" } }),
    );
    await awaitThat(context, `autoscale pool ${pool.name} to be gone`, async () =>
      (await getPool(context, pool.id)) === undefined ? true : undefined,
    );
    await removeUnusedMarks(context, pool.droplet_template.tags ?? []);
    return undefined;
  },

  async lookup({ token }, context) {
    for await (const pool of api(context).list<Pool>("droplets/autoscale", "autoscale_pools")) {
      if (marksOf(pool).includes(tokenTag(token))) return describe(context, pool);
    }
    return notFound();
  },

  async import(id, context) {
    const pool = await locate({ id, name: "" }, context);
    return pool === undefined ? notFound() : describe(context, pool);
  },

  async *list(context) {
    for (const pool of await collect(api(context).list<Pool>("droplets/autoscale", "autoscale_pools")))
      yield describe(context, pool);
  },

  async setOwner(ref, owner, context) {
    const pool = await locate(ref, context);
    if (pool === undefined) return notFound();
    const marks = marksOf(pool);
    const { add, remove } = withOwner(marks, owner);
    const tags = [...marks.filter((tag) => !remove.includes(tag)), ...add].map(toPoolTag);
    await api(context).put(`droplets/autoscale/${pool.id}`, {
      name: pool.name,
      config: pool.config,
      droplet_template: { ...pool.droplet_template, tags },
    });
    return undefined;
  },

  diff({ input: wanted }, { outputs: known }, standard) {
    // A key may be named by its name, its fingerprint or its id.
    const live = (known["ssh_keys"] ?? []) as unknown as Outputs["ssh_keys"];
    const isThere = (key: string): boolean =>
      live.some((each) => each.id === key || each.fingerprint === key || each.name === key);
    const isSame = live.length === wanted.ssh_keys.length && wanted.ssh_keys.every(isThere);
    return { changes: standard.changes.filter(({ path }) => path !== "ssh_keys" || !isSame) };
  },

  sizing: sizing(hostSizes.droplet),
});

async function bodyOf(
  context: Context,
  name: string,
  wanted: PoolInput,
  tags: readonly string[],
  live?: Pool,
): Promise<object> {
  const keys = await resolveKeys(context, wanted.ssh_keys);
  const config =
    wanted.instance_count === undefined
      ? given({
          min_instances: wanted.min_instances,
          max_instances: wanted.max_instances,
          target_cpu_utilization: wanted.target_cpu_utilization,
          target_memory_utilization: wanted.target_memory_utilization,
          cooldown_minutes: wanted.cooldown_minutes ?? live?.config.cooldown_minutes,
        })
      : { target_number_instances: wanted.instance_count };
  const template = given({
    size: wanted.size,
    region: wanted.region ?? live?.droplet_template.region ?? context.client.config.region,
    image: wanted.image,
    tags: tags.map(toPoolTag),
    ssh_keys: keys.map(String),
    vpc_uuid: wanted.vpc_uuid ?? live?.droplet_template.vpc_uuid,
    with_droplet_agent: wanted.droplet_agent,
    project_id: wanted.project_id ?? live?.droplet_template.project_id,
    ipv6: wanted.ipv6,
    user_data: wanted.user_data,
  });
  return { name, config, droplet_template: template };
}

async function getPool(context: Context, id: string): Promise<Pool | undefined> {
  return (await orAbsent(api(context).get<{ autoscale_pool: Pool }>(`droplets/autoscale/${id}`)))?.autoscale_pool;
}

async function locate({ id, name }: { id: string; name: string }, context: Context): Promise<Pool | undefined> {
  if (isUuid(id)) return getPool(context, id);
  const wanted = id === "" ? name : id;
  const pools = await collect(api(context).list<Pool>("droplets/autoscale", "autoscale_pools"));
  return pickByName(
    context,
    { kind: "autoscale pool", name: wanted },
    pools.filter((pool) => pool.name === wanted),
    { id: (pool) => pool.id, tags: marksOf },
  );
}

/** Waits until the pool has its least number of droplets. */
async function awaitFilled(context: Context, id: string): Promise<Pool> {
  let have = 0;
  return awaitThat(
    context,
    () => `autoscale pool ${id} to have its droplets (${have})`,
    async () => {
      const pool = await getPool(context, id);
      have = pool?.active_resources_count ?? 0;
      const least = pool?.config.target_number_instances ?? pool?.config.min_instances ?? 0;
      return pool?.status === "active" && have >= least ? pool : undefined;
    },
  );
}

async function describe(context: Context, pool: Pool): Promise<ResourceState<PoolInput, Outputs>> {
  const { id, name, status, config, droplet_template: template } = pool;
  const marks = marksOf(pool);
  const keys = await collect(
    api(context).list<{ id: number; fingerprint: string; name: string }>("account/keys", "ssh_keys"),
  );
  const used = (template.ssh_keys ?? []).map((key) => {
    const found = keys.find((each) => String(each.id) === key || each.fingerprint === key);
    return { id: String(found?.id ?? key), fingerprint: found?.fingerprint ?? "", name: found?.name ?? "" };
  });
  const members = await collect(
    api(context).list<{ droplet_id: number }>(`droplets/autoscale/${id}/members`, "droplets"),
  );
  return {
    id,
    name,
    owner: ownerOf(marks, context.owner),
    tags: marks,
    status: status === "active" ? "running" : "degraded",
    outputs: {
      id,
      name,
      status,
      size: template.size,
      region: template.region,
      active_resources_count: pool.active_resources_count,
      droplet_ids: members.map((member) => member.droplet_id),
      ssh_keys: used,
      created_at: pool.created_at,
    },
    inputs: given({
      name,
      min_instances: config.target_number_instances === undefined ? config.min_instances : undefined,
      max_instances: config.target_number_instances === undefined ? config.max_instances : undefined,
      target_cpu_utilization: config.target_cpu_utilization || undefined,
      target_memory_utilization: config.target_memory_utilization || undefined,
      cooldown_minutes: config.cooldown_minutes || undefined,
      instance_count: config.target_number_instances || undefined,
      size: template.size,
      image: template.image,
      region: template.region,
      ssh_keys: [...(template.ssh_keys ?? [])],
      tags: userTags(marks, context.client.config.default_tags),
      vpc_uuid: template.vpc_uuid,
      user_data: template.user_data,
      ipv6: template.ipv6 ?? false,
    }) as Partial<PoolInput>,
  };
}
