import { ProviderFailure, type ResourceState } from "@wfctl/plugin-sdk";
import { runAction } from "../actions.ts";
import { api, collect, findItem, type Context } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { isUuid, pickByName } from "../naming.ts";
import { ownerOf, tokenTag } from "../ownership.ts";
import { userTags } from "../tags.ts";
import { awaitThat } from "../waiting.ts";
import type { DropletInput, DropletOutputs } from "./schema.ts";

interface Address {
  readonly ip_address: string;
  readonly type: "public" | "private";
}

export interface Droplet {
  readonly id: number;
  readonly name: string;
  readonly status: "new" | "active" | "off" | "archive";
  readonly locked: boolean;
  readonly memory: number;
  readonly vcpus: number;
  readonly disk: number;
  readonly features: readonly string[];
  readonly image: { readonly id: number; readonly slug: string | null; readonly type: string };
  readonly size_slug: string;
  readonly region: { readonly slug: string };
  readonly networks: { readonly v4: readonly Address[]; readonly v6: readonly Address[] };
  readonly tags: readonly string[];
  readonly volume_ids: readonly string[];
  readonly vpc_uuid: string;
  readonly created_at: string;
}

export interface Volume {
  readonly id: string;
  readonly name: string;
  readonly region: { readonly slug: string };
  readonly droplet_ids: readonly number[];
}

export async function getDroplet(context: Context, id: string): Promise<Droplet | undefined> {
  if (!/^\d+$/.test(id)) return undefined;
  const found = await orAbsent(api(context).get<{ droplet: Droplet }>(`droplets/${id}`));
  return found === undefined ? undefined : settle(found.droplet);
}

export async function listDroplets(context: Context, query?: Readonly<Record<string, string>>): Promise<Droplet[]> {
  return (await collect(api(context).list<Droplet>("droplets", "droplets", query))).map(settle);
}

/** Lists that may be missing or null are there. */
function settle(droplet: Droplet): Droplet {
  const { features, tags, volume_ids: volumes, networks, image } = droplet as Partial<Droplet>;
  return {
    ...droplet,
    features: features ?? [],
    tags: tags ?? [],
    volume_ids: volumes ?? [],
    networks: { v4: networks?.v4 ?? [], v6: networks?.v6 ?? [] },
    image: image ?? { id: 0, slug: null, type: "base" },
  };
}

/** By its id, else by its name. */
export async function locateDroplet(
  { id, name }: { id: string; name: string },
  context: Context,
): Promise<Droplet | undefined> {
  if (/^\d+$/.test(id)) return getDroplet(context, id);
  const wanted = id === "" ? name : id;
  const found = (await listDroplets(context, { name: wanted })).filter((each) => each.name === wanted);
  return pickByName(context, { kind: "droplet", name: wanted }, found, {
    id: (each) => String(each.id),
    tags: (each) => each.tags,
  });
}

/** The droplet that a create with this token made. */
export async function findByToken(context: Context, token: string): Promise<Droplet | undefined> {
  const tag = tokenTag(token);
  // The filter is not trusted: what it passes by mistake would be taken for this create's own.
  return (await listDroplets(context, { tag_name: tag })).find(({ tags }) => tags.includes(tag));
}

/** Waits until a droplet runs and has its addresses. */
export async function awaitActive(context: Context, id: number): Promise<Droplet> {
  let status = "new";
  return awaitThat(
    context,
    () => `droplet ${id} to become active (${status})`,
    async () => {
      const droplet = await getDroplet(context, String(id));
      // A fresh droplet can be invisible for a moment.
      status = droplet?.status ?? "not visible yet";
      if (droplet?.status === "archive")
        throw new ProviderFailure("unknown", `Droplet ${id} was archived while it started`);
      const isUp = droplet?.status === "active" && droplet.networks.v4.some(({ type }) => type === "private");
      return isUp ? droplet : undefined;
    },
  );
}

/** Names and ids of volumes as ids. */
export async function resolveVolumes(context: Context, volumes: readonly string[], region: string): Promise<string[]> {
  return Promise.all(
    volumes.map(async (volume) => {
      if (isUuid(volume)) return volume;
      const found = await findItem(
        api(context).list<Volume>("volumes", "volumes", { name: volume, region }),
        (each) => each.name === volume && each.region.slug === region,
      );
      if (found === undefined)
        throw new ProviderFailure("validation", `Volume "${volume}" does not exist in region ${region}`);
      return found.id;
    }),
  );
}

/** Names of SSH keys as ids; fingerprints and ids stay. */
export async function resolveKeys(context: Context, keys: readonly string[]): Promise<(string | number)[]> {
  const isPlain = (key: string): boolean => /^\d+$/.test(key) || /^[0-9a-f]{2}(?::[0-9a-f]{2}){15}$/.test(key);
  const all = keys.every(isPlain)
    ? []
    : await collect(api(context).list<{ id: number; name: string }>("account/keys", "ssh_keys"));
  return keys.map((key) => {
    if (/^\d+$/.test(key)) return Number(key);
    if (isPlain(key)) return key;
    const found = all.find(({ name }) => name === key);
    if (found === undefined) throw new ProviderFailure("validation", `SSH key "${key}" does not exist in the account`);
    return found.id;
  });
}

/** Attaches and detaches until exactly these volumes are attached. */
export async function syncVolumes(context: Context, droplet: Droplet, wanted: readonly string[]): Promise<void> {
  const region = droplet.region.slug;
  const body = (type: string) => ({ type, droplet_id: droplet.id, region });
  for (const id of droplet.volume_ids.filter((each) => !wanted.includes(each))) {
    await runAction(context, `volumes/${id}`, body("detach"), `volume ${id} to be detached`);
  }
  for (const id of wanted.filter((each) => !droplet.volume_ids.includes(each))) {
    await runAction(context, `volumes/${id}`, body("attach"), `volume ${id} to be attached`);
  }
}

export async function describeDroplet(
  context: Context,
  droplet: Droplet,
): Promise<ResourceState<DropletInput, DropletOutputs>> {
  const volumes = await Promise.all(
    droplet.volume_ids.map(
      async (id) => (await orAbsent(api(context).get<{ volume: Volume }>(`volumes/${id}`)))?.volume,
    ),
  );
  const names = volumes.flatMap((volume) => (volume === undefined ? [] : [volume.name]));
  const address = (list: readonly Address[], type: Address["type"]): string =>
    list.find((each) => each.type === type)?.ip_address ?? "";
  const has = (feature: string): boolean => droplet.features.includes(feature);
  const tags = userTags(droplet.tags, context.client.config.default_tags);
  // An image that was replaced by a newer one of its name has no name any more.
  const image = droplet.image.slug ?? (droplet.image.type === "base" ? "" : String(droplet.image.id));
  const shared = {
    name: droplet.name,
    size: droplet.size_slug,
    region: droplet.region.slug,
    vpc_uuid: droplet.vpc_uuid,
    enable_backups: has("backups"),
    monitoring: has("monitoring"),
    ipv6: droplet.networks.v6.length > 0 || has("ipv6"),
    tags,
    volumes: names,
  };
  return {
    id: String(droplet.id),
    name: droplet.name,
    owner: ownerOf(droplet.tags, context.owner),
    tags: droplet.tags,
    status: droplet.status === "active" ? "running" : droplet.status === "off" ? "stopped" : "unknown",
    outputs: {
      ...shared,
      id: String(droplet.id),
      urn: `do:droplet:${droplet.id}`,
      public_ip: address(droplet.networks.v4, "public"),
      private_ip: address(droplet.networks.v4, "private"),
      ipv6_address: address(droplet.networks.v6, "public"),
      image,
      status: droplet.status,
      memory: droplet.memory,
      vcpus: droplet.vcpus,
      disk: droplet.disk,
      volume_ids: [...droplet.volume_ids],
      volumes_resolution: Object.fromEntries(
        volumes.flatMap((volume) => (volume === undefined ? [] : [[volume.name, volume.id]])),
      ),
      created_at: droplet.created_at,
    },
    inputs: {
      ...shared,
      ...(image === "" ? {} : { image }),
      public_networking: droplet.status === "new" || address(droplet.networks.v4, "public") !== "",
    },
  };
}
