import { alreadyExists, notFound, z, type ResourceState } from "@wfctl/plugin-sdk";
import { runAction } from "../actions.ts";
import { given, renameKeys } from "../aliases.ts";
import { api, collect, type Context } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { isUuid, pickByName, takenMessage } from "../naming.ts";
import { creationTags, ownerOf, tokenTag } from "../ownership.ts";
import { region } from "../regions.ts";
import { isTier, volumeSizes, type Tier } from "../sizing.ts";
import { removeUnusedMarks, syncTags, writeOwner } from "../tagging.ts";
import { tagList, userTags } from "../tags.ts";
import { scopes } from "../permissions.ts";
import { defineDoResource } from "./define.ts";

interface Volume {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly size_gigabytes: number;
  readonly region: { readonly slug: string };
  readonly droplet_ids: readonly number[];
  readonly filesystem_type: string;
  readonly filesystem_label: string;
  readonly tags: readonly string[];
  readonly created_at: string;
}

const gigabytes = z.coerce.number().int().min(1).max(16_384);

const input = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,63}$/)
      .optional()
      .describe("Default: the resource's name"),
    size_gb: gigabytes.optional().describe("Grows in place; a smaller one is a new volume"),
    size: z
      .enum(["xs", "s", "m", "l", "xl"])
      .optional()
      .describe(
        `Instead of size_gb: ${Object.entries(volumeSizes)
          .map(([tier, size]) => `${tier} ${size}`)
          .join(", ")} gigabytes`,
      ),
    size_gigabytes: gigabytes.optional().describe("Alias of size_gb"),
    region,
    filesystem_type: z.enum(["ext4", "xfs"]).optional(),
    filesystem_label: z.string().max(16).optional(),
    description: z.string().default("").describe("Written at creation; the API cannot change it"),
    snapshot_id: z.string().optional().describe("Snapshot to start from"),
    tags: tagList,
  })
  .transform(renameKeys({ size_gigabytes: "size_gb" }))
  .transform(({ size, ...value }) => ({
    ...value,
    size_gb: value.size_gb ?? (size === undefined ? undefined : volumeSizes[size]),
  }))
  .refine((value): value is typeof value & { size_gb: number } => value.size_gb !== undefined, {
    error: "is required, as size_gb or size",
    path: ["size_gb"],
  });
type VolumeInput = z.output<typeof input>;

const outputs = z.object({
  id: z.string(),
  name: z.string(),
  urn: z.string(),
  region: z.string(),
  size_gb: z.number(),
  filesystem_type: z.string(),
  filesystem_label: z.string(),
  description: z.string(),
  droplet_ids: z.array(z.number()),
  tags: z.array(z.string()),
  created_at: z.string(),
});
type State = ResourceState<VolumeInput, z.output<typeof outputs>>;

/** A block storage volume. Names are unique in a region. */
export const volume = defineDoResource<VolumeInput, z.output<typeof outputs>>({
  type: "infra.volume",
  description: "Block storage volume",
  input,
  outputs,
  forceNew: ["name", "region", "filesystem_type", "snapshot_id"],
  writeOnly: ["snapshot_id"],
  unordered: ["tags"],
  onlyAtCreation: ["description", "filesystem_label"],
  irreversibleUpdate: true,
  convergentCreate: true,
  permissions: [...scopes("block_storage", "tag"), "block_storage_action:create", "actions:read"],
  timeouts: { create: 300_000, update: 600_000, delete: 600_000 },

  async create({ name: resource, input: wanted }, context) {
    const name = wanted.name ?? resource;
    const place = wanted.region ?? context.client.config.region;
    const existing = (await listVolumes(context, { name, region: place })).find(
      (each) => each.name === name && each.region.slug === place,
    );
    if (existing !== undefined && !existing.tags.includes(tokenTag(context.clientToken))) {
      return alreadyExists(takenMessage(context, { kind: "Volume", name }, existing.tags));
    }
    const made = existing ?? (await makeVolume(context, name, place, wanted));
    context.partial(made.id);
    return existing === undefined ? { ...describe(context, made), created: true } : describe(context, made);
  },

  async read(ref, context) {
    const found = await locate(ref, context);
    return found === undefined ? notFound() : describe(context, found);
  },

  async update(ref, { input: wanted }, context) {
    const found = await locate(ref, context);
    if (found === undefined) return notFound();
    await syncTags(context, { kind: "volume", id: found.id }, found.tags, wanted.tags);
    if (wanted.size_gb > found.size_gigabytes) {
      const body = { type: "resize", size_gigabytes: wanted.size_gb, region: found.region.slug };
      await runAction(context, `volumes/${found.id}`, body, `volume ${found.name} to grow`);
    }
    const now = await locate({ id: found.id, name: "" }, context);
    return now === undefined ? notFound() : describe(context, now);
  },

  async delete(ref, context) {
    const found = await locate(ref, context);
    if (found === undefined) return notFound();
    for (const id of found.droplet_ids) {
      const body = { type: "detach", droplet_id: id, region: found.region.slug };
      await runAction(context, `volumes/${found.id}`, body, `volume ${found.name} to be detached`);
    }
    await orAbsent(api(context).delete(`volumes/${found.id}`));
    await removeUnusedMarks(context, found.tags);
    return undefined;
  },

  async lookup({ token }, context) {
    for (const each of await listVolumes(context)) {
      if (each.tags.includes(tokenTag(token))) return describe(context, each);
    }
    return notFound();
  },

  async import(id, context) {
    const found = await locate({ id, name: "" }, context);
    return found === undefined ? notFound() : describe(context, found);
  },

  async *list(context) {
    for (const each of await listVolumes(context)) yield describe(context, each);
  },

  async setOwner(ref, owner, context) {
    const found = await locate(ref, context);
    if (found === undefined) return notFound();
    await writeOwner(context, { kind: "volume", id: found.id }, found.tags, owner);
    return undefined;
  },

  diff(_desired, _known, standard) {
    const changes = standard.changes.map((change) =>
      change.path === "size_gb" && Number(change.new) < Number(change.old) ? { ...change, forceNew: true } : change,
    );
    return { changes };
  },

  sizing: ({ size }) =>
    isTier(size) ? { instanceType: "", specs: { size_gb: volumeSizes[size as Tier] } } : undefined,
});

async function makeVolume(context: Context, name: string, place: string, wanted: VolumeInput): Promise<Volume> {
  const { volume: made } = await api(context).post<{ volume: Volume }>(
    "volumes",
    given({
      name,
      region: place,
      size_gigabytes: wanted.size_gb,
      description: wanted.description === "" ? undefined : wanted.description,
      filesystem_type: wanted.filesystem_type,
      filesystem_label: wanted.filesystem_label,
      snapshot_id: wanted.snapshot_id,
      tags: creationTags(context, wanted.tags),
    }),
  );
  return settle(made);
}

async function listVolumes(context: Context, query?: Readonly<Record<string, string>>): Promise<Volume[]> {
  return (await collect(api(context).list<Volume>("volumes", "volumes", query))).map(settle);
}

/** Members that may be missing or null are there. */
function settle(volume: Volume): Volume {
  const {
    tags,
    droplet_ids: droplets,
    description,
    filesystem_type: type,
    filesystem_label: label,
  } = volume as Partial<Volume>;
  return {
    ...volume,
    tags: tags ?? [],
    droplet_ids: droplets ?? [],
    description: description ?? "",
    filesystem_type: type ?? "",
    filesystem_label: label ?? "",
  };
}

async function locate({ id, name }: { id: string; name: string }, context: Context): Promise<Volume | undefined> {
  if (isUuid(id)) {
    const found = await orAbsent(api(context).get<{ volume: Volume }>(`volumes/${id}`));
    return found === undefined ? undefined : settle(found.volume);
  }
  const wanted = id === "" ? name : id;
  const found = (await listVolumes(context, { name: wanted })).filter((each) => each.name === wanted);
  return pickByName(context, { kind: "volume", name: wanted }, found, {
    id: (each) => each.id,
    tags: (each) => each.tags,
  });
}

function describe(context: Context, live: Volume): State {
  const tags = userTags(live.tags, context.client.config.default_tags);
  const { id, name, description, filesystem_type, filesystem_label } = live;
  const shared = { name, region: live.region.slug, size_gb: live.size_gigabytes, description, tags };
  return {
    id,
    name,
    owner: ownerOf(live.tags, context.owner),
    tags: live.tags,
    outputs: {
      ...shared,
      id,
      urn: `do:volume:${id}`,
      filesystem_type,
      filesystem_label,
      droplet_ids: [...live.droplet_ids],
      created_at: live.created_at,
    },
    inputs: { ...shared, ...(filesystem_type === "" ? {} : { filesystem_type: filesystem_type as "ext4" | "xfs" }) },
  };
}
