import { alreadyExists, notFound, z, type ResourceState } from "@wfctl/plugin-sdk";
import { renameKeys } from "../aliases.ts";
import { api, type Context } from "../calls.ts";
import { isStatus, orAbsent } from "../errors.ts";
import { region } from "../regions.ts";
import { registryTiers, sizing, tiers, type Tier } from "../sizing.ts";
import { awaitThat } from "../waiting.ts";
import { scopes } from "../permissions.ts";
import { defineDoResource } from "./define.ts";

interface Registry {
  readonly name: string;
  readonly region: string;
  readonly created_at: string;
  readonly subscription?: { readonly tier?: { readonly slug?: string } };
}

const plan = z.enum(["starter", "basic", "professional"]);
const input = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9-]{1,63}$/)
      .optional()
      .describe("Default: the resource's name. No other registry of the world has it"),
    tier: plan
      .optional()
      .describe("Subscription of the whole account. Default: starter for a first registry; left as it is later"),
    subscription_tier_slug: plan.optional().describe("Alias of tier"),
    size: z
      .enum(tiers)
      .optional()
      .describe(
        `Instead of tier: ${Object.entries(registryTiers)
          .map(([size, word]) => `${size} ${word}`)
          .join(", ")}`,
      ),
    region,
  })
  .transform(renameKeys({ subscription_tier_slug: "tier" }))
  .transform(({ size, ...value }) => ({
    ...value,
    tier: value.tier ?? (size === undefined ? undefined : (registryTiers[size as Tier] as z.output<typeof plan>)),
  }));
type RegistryInput = z.output<typeof input>;

const outputs = z.object({
  id: z.string(),
  name: z.string(),
  endpoint: z.string(),
  server_url: z.string(),
  region: z.string(),
  tier: z.string(),
  created_at: z.string(),
});
type Outputs = z.output<typeof outputs>;

const host = "registry.digitalocean.com";

/** A container registry, by its name: an account can have several. There are no tags. */
export const registry = defineDoResource<RegistryInput, Outputs>({
  type: "infra.registry",
  description: "Container registry",
  input,
  outputs,
  forceNew: ["name", "region"],
  permissions: scopes("registry"),
  timeouts: { create: 300_000, update: 120_000, delete: 300_000 },
  tier: 2,

  async create({ name: resource, input: wanted }, context) {
    const name = wanted.name ?? resource;
    if ((await getRegistry(context, name)) !== undefined)
      return alreadyExists(`Registry "${name}" is there already: adopt it, or choose another name`);
    const tier = wanted.tier ?? (await subscription(context)) ?? "starter";
    const body = { name, subscription_tier_slug: tier, region: wanted.region ?? context.client.config.region };
    const { registry: made } = await makeRegistry(context, body);
    context.partial(made.name);
    return { ...describe(made, tier), created: true };
  },

  async read(ref, context) {
    const found = await getRegistry(context, ref.id === "" ? ref.name : ref.id);
    return found === undefined ? notFound() : describe(found, await subscription(context));
  },

  async update(ref, { input: wanted }, context) {
    const found = await getRegistry(context, ref.id === "" ? ref.name : ref.id);
    if (found === undefined) return notFound();
    const live = await subscription(context);
    if (wanted.tier !== undefined && wanted.tier !== live)
      await api(context).post("registry/subscription", { tier_slug: wanted.tier });
    return describe(found, wanted.tier ?? live);
  },

  async delete(ref, context) {
    const name = ref.id === "" ? ref.name : ref.id;
    // By its name alone: the account's other registries are none of this resource's.
    if ((await getRegistry(context, name)) === undefined) return notFound();
    await removeRegistry(context, name);
    await awaitThat(context, `registry ${name} to be gone`, async () =>
      (await getRegistry(context, name)) === undefined ? true : undefined,
    );
    return undefined;
  },

  async *list(context) {
    const tier = await subscription(context);
    for (const each of await listRegistries(context)) yield describe(each, tier);
  },

  sizing: ({ size, hints }) => {
    const found = sizing(registryTiers)({ size, hints });
    return found === undefined ? undefined : { instanceType: "", specs: { tier: found.instanceType } };
  },
});

/** Where the API knows one registry only, it is under another address. */
async function getRegistry(context: Context, name: string): Promise<Registry | undefined> {
  const path = `registries/${encodeURIComponent(name)}`;
  const found = (await orAbsent(api(context).get<{ registry: Registry }>(path)))?.registry;
  return found ?? (await onlyRegistry(context, name));
}

async function listRegistries(context: Context): Promise<readonly Registry[]> {
  const many = await orAbsent(api(context).get<{ registries?: readonly Registry[] | null }>("registries"));
  if (many !== undefined) return many.registries ?? [];
  const only = await theRegistry(context);
  return only === undefined ? [] : [only];
}

async function onlyRegistry(context: Context, name: string): Promise<Registry | undefined> {
  const found = await theRegistry(context);
  return found?.name === name ? found : undefined;
}

/** The registry of an account that has one only. */
async function theRegistry(context: Context): Promise<Registry | undefined> {
  try {
    return (await api(context).get<{ registry?: Registry | null }>("registry")).registry ?? undefined;
  } catch (error) {
    if (isStatus(error, 404, 405, 412)) return undefined;
    throw error;
  }
}

async function makeRegistry(context: Context, body: object): Promise<{ registry: Registry }> {
  try {
    return await api(context).post<{ registry: Registry }>("registries", body);
  } catch (error) {
    if (isStatus(error, 404, 405)) return api(context).post<{ registry: Registry }>("registry", body);
    throw error;
  }
}

async function removeRegistry(context: Context, name: string): Promise<void> {
  const path = `registries/${encodeURIComponent(name)}`;
  const gone = await orAbsent(
    api(context)
      .delete(path)
      .then(() => true),
  );
  // The address names no registry: it is asked for once more which one it means.
  if (gone === undefined && (await onlyRegistry(context, name)) !== undefined)
    await orAbsent(api(context).delete("registry"));
}

async function subscription(context: Context): Promise<string | undefined> {
  const found = await orAbsent(
    api(context).get<{ subscription?: { tier?: { slug?: string } } }>("registry/subscription"),
  );
  return found?.subscription?.tier?.slug;
}

function describe(live: Registry, tier = live.subscription?.tier?.slug): ResourceState<RegistryInput, Outputs> {
  const { name, region: place, created_at } = live;
  return {
    id: name,
    name,
    outputs: {
      id: name,
      name,
      endpoint: `${host}/${name}`,
      server_url: host,
      region: place,
      tier: tier ?? "",
      created_at,
    },
    inputs: {
      name,
      region: place,
      ...(tier === undefined ? {} : { tier: tier as NonNullable<RegistryInput["tier"]> }),
    },
  };
}
