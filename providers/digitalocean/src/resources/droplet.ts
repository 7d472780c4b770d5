import { notFound } from "@wfctl/plugin-sdk";
import { runAction } from "../actions.ts";
import { given } from "../aliases.ts";
import { api, type Context } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import {
  awaitActive,
  describeDroplet,
  findByToken,
  getDroplet,
  listDroplets,
  locateDroplet,
  resolveKeys,
  resolveVolumes,
  syncVolumes,
  type Droplet,
} from "../droplet/droplets.ts";
import { dropletInput, dropletOutputs, type DropletInput, type DropletOutputs } from "../droplet/schema.ts";
import { creationTags } from "../ownership.ts";
import { hostSizes, sizing } from "../sizing.ts";
import { removeUnusedMarks, syncTags, writeOwner } from "../tagging.ts";
import { awaitThat } from "../waiting.ts";
import { readScopes, scopes } from "../permissions.ts";
import { defineDoResource } from "./define.ts";

/** A virtual machine. Its id is DigitalOcean's number. */
export const droplet = defineDoResource<DropletInput, DropletOutputs>({
  type: "infra.droplet",
  description: "Droplet",
  input: dropletInput,
  outputs: dropletOutputs,
  forceNew: ["region", "image", "user_data", "ssh_keys", "vpc_uuid", "monitoring", "public_networking"],
  writeOnly: ["user_data", "ssh_keys", "backup_policy", "droplet_agent"],
  sensitiveInputs: ["user_data"],
  unordered: ["tags", "volumes", "ssh_keys"],
  onlyAtCreation: ["droplet_agent", "resize_disk"],
  convergentCreate: true,
  permissions: [
    ...scopes("droplet", "tag"),
    ...readScopes("actions", "block_storage", "ssh_key", "vpc"),
    "block_storage_action:create",
  ],
  timeouts: { create: 1_200_000, update: 1_800_000, delete: 600_000 },

  async create({ name, input }, context) {
    const earlier = await findByToken(context, context.clientToken);
    const made = earlier ?? (await makeDroplet(context, input.name ?? name, input));
    context.partial(String(made.id));
    const up = await awaitActive(context, made.id);
    if (earlier !== undefined) await sync(context, up, input);
    const now = await describeDroplet(context, (await getDroplet(context, String(made.id))) ?? up);
    return earlier === undefined ? { ...now, created: true } : now;
  },

  async read(ref, context) {
    const found = await locateDroplet(ref, context);
    return found === undefined ? notFound() : describeDroplet(context, found);
  },

  async update(ref, { input }, context) {
    const found = await locateDroplet(ref, context);
    if (found === undefined) return notFound();
    await sync(context, found, input);
    const now = await getDroplet(context, String(found.id));
    return now === undefined ? notFound() : describeDroplet(context, now);
  },

  async delete(ref, context) {
    const found = await locateDroplet(ref, context);
    if (found === undefined) return notFound();
    // Whatever was written to a volume is on it before the machine goes.
    if (found.volume_ids.length > 0) await syncVolumes(context, found, []);
    await orAbsent(api(context).delete(`droplets/${found.id}`));
    await awaitThat(context, `droplet ${found.id} to be gone`, async () =>
      (await getDroplet(context, String(found.id))) === undefined ? true : undefined,
    );
    await removeUnusedMarks(context, found.tags);
    return undefined;
  },

  async lookup({ token }, context) {
    const found = await findByToken(context, token);
    return found === undefined ? notFound() : describeDroplet(context, found);
  },

  async import(id, context) {
    const found = await locateDroplet({ id, name: "" }, context);
    return found === undefined ? notFound() : describeDroplet(context, found);
  },

  async *list(context) {
    for (const each of await listDroplets(context)) yield describeDroplet(context, each);
  },

  async setOwner(ref, owner, context) {
    const found = await locateDroplet(ref, context);
    if (found === undefined) return notFound();
    await writeOwner(context, { kind: "droplet", id: String(found.id) }, found.tags, owner);
    return undefined;
  },

  diff(_desired, known, standard) {
    const names = (known.outputs["volumes"] ?? []) as readonly string[];
    const ids = (known.outputs["volume_ids"] ?? []) as readonly string[];
    const changes = standard.changes.flatMap((change) => {
      const wanted = Array.isArray(change.new) ? (change.new as readonly string[]) : [];
      // A volume may be named by its id.
      if (change.path === "volumes" && wanted.length === names.length) {
        if (wanted.every((each) => names.includes(each) || ids.includes(each))) return [];
      }
      if (change.path === "image" && known.outputs["image"] === "") return [];
      // The API can switch IPv6 on, and not off.
      return change.path === "ipv6" && change.new === false ? [{ ...change, forceNew: true }] : [change];
    });
    return { changes };
  },

  sizing: sizing(hostSizes.droplet),
});

async function makeDroplet(context: Context, name: string, input: DropletInput): Promise<Droplet> {
  const region = input.region ?? context.client.config.region;
  const [keys, volumes] = await Promise.all([
    resolveKeys(context, input.ssh_keys ?? []),
    resolveVolumes(context, input.volumes, region),
  ]);
  const { droplet: made } = await api(context).post<{ droplet: Droplet }>(
    "droplets",
    given({
      name,
      region,
      size: input.size,
      image: /^\d+$/.test(input.image) ? Number(input.image) : input.image,
      ssh_keys: keys,
      backups: input.enable_backups,
      backup_policy: input.enable_backups ? input.backup_policy : undefined,
      ipv6: input.ipv6,
      monitoring: input.monitoring,
      tags: creationTags(context, input.tags),
      user_data: input.user_data,
      volumes: volumes.length > 0 ? volumes : undefined,
      vpc_uuid: input.vpc_uuid,
      with_droplet_agent: input.droplet_agent,
      public_networking: input.public_networking ? undefined : false,
    }),
  );
  return made;
}

/** Brings a droplet to what is wanted, each step only where it differs. */
async function sync(context: Context, live: Droplet, input: DropletInput): Promise<void> {
  const path = `droplets/${live.id}`;
  const has = (feature: string): boolean => live.features.includes(feature);
  const act = (body: object, what: string): Promise<void> =>
    runAction(context, path, body, `droplet ${live.id} ${what}`);
  await syncTags(context, { kind: "droplet", id: String(live.id) }, live.tags, input.tags);
  if (input.name !== undefined && input.name !== live.name)
    await act({ type: "rename", name: input.name }, "to be renamed");
  if (input.enable_backups && !has("backups")) {
    await act(given({ type: "enable_backups", backup_policy: input.backup_policy }), "to have backups");
  } else if (input.enable_backups && input.backup_policy !== undefined) {
    await act({ type: "change_backup_policy", backup_policy: input.backup_policy }, "to have its backup policy");
  } else if (!input.enable_backups && has("backups")) await act({ type: "disable_backups" }, "to have no backups");
  if (input.ipv6 && live.networks.v6.length === 0 && !has("ipv6")) await act({ type: "enable_ipv6" }, "to have IPv6");
  await syncVolumes(context, live, await resolveVolumes(context, input.volumes, live.region.slug));
  if (input.size !== live.size_slug) {
    if (live.status === "active") await act({ type: "power_off" }, "to be off");
    await act({ type: "resize", size: input.size, disk: input.resize_disk }, "to be resized");
  }
  if (input.size !== live.size_slug || live.status === "off") await act({ type: "power_on" }, "to be on");
}
