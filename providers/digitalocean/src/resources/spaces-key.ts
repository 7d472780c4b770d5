import { alreadyExists, notFound, ProviderFailure, z, type ResourceState } from "@wfctl/plugin-sdk";
import { api, collect, findItem, type Context } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { takenMessage } from "../naming.ts";
import { scopes } from "../permissions.ts";
import { defineDoResource } from "./define.ts";

const grant = z
  .strictObject({
    bucket: z.string().default("").describe("Empty with fullaccess"),
    permission: z.enum(["read", "readwrite", "fullaccess"]),
  })
  .refine(({ bucket, permission }) => permission === "fullaccess" || bucket !== "", {
    error: "a grant needs a bucket",
    path: ["bucket"],
  });

const input = z
  .strictObject({
    name: z.string().min(1).optional().describe("Default: the resource's name"),
    grants: z.array(grant).default([]),
  })
  .refine(({ grants }) => grants.length < 2 || grants.every(({ permission }) => permission !== "fullaccess"), {
    error: "fullaccess stands alone",
    path: ["grants"],
  });
type KeyInput = z.output<typeof input>;

interface SpacesKey {
  readonly name: string;
  readonly access_key: string;
  readonly secret_key?: string;
  readonly grants: KeyInput["grants"];
  readonly created_at: string;
}

const outputs = z.object({
  name: z.string(),
  access_key: z.string(),
  secret_key: z.string().optional(),
  grants: z.array(z.unknown()),
  created_at: z.string(),
});
type Outputs = z.output<typeof outputs>;

/** A Spaces access key. Its id is the access key; its secret is told once, by create. There are no tags. */
export const spacesKey = defineDoResource<KeyInput, Outputs>({
  type: "infra.spaces_key",
  description: "Spaces access key",
  input,
  outputs,
  sensitiveOutputs: ["access_key", "secret_key"],
  unordered: ["grants"],
  permissions: scopes("spaces_key"),
  timeouts: { create: 120_000, update: 120_000, delete: 120_000 },

  async create({ name: resource, input: wanted }, context) {
    const name = wanted.name ?? resource;
    if ((await findByName(context, name)) !== undefined)
      return alreadyExists(takenMessage(context, { kind: "Spaces key", name }));
    const { key } = await makeKey(context, name, wanted);
    context.partial(key.access_key, { access_key: key.access_key });
    return { ...describe(key), created: true };
  },

  async read(ref, context) {
    const key = await locate(ref, context);
    return key === undefined ? notFound() : describe(key);
  },

  async update(ref, { input: wanted }, context) {
    const key = await locate(ref, context);
    if (key === undefined) return notFound();
    const { key: changed } = await api(context).put<{ key: SpacesKey }>(`spaces/keys/${key.access_key}`, {
      name: wanted.name ?? key.name,
      grants: wanted.grants,
    });
    return describe(changed);
  },

  async delete(ref, context) {
    const key = await locate(ref, context);
    if (key === undefined) return notFound();
    await orAbsent(api(context).delete(`spaces/keys/${key.access_key}`));
    return undefined;
  },

  async import(id, context) {
    const key = await locate({ id, name: id }, context);
    return key === undefined ? notFound() : describe(key);
  },

  async *list(context) {
    for (const key of await collect(api(context).list<SpacesKey>("spaces/keys", "keys"))) yield describe(key);
  },
});

/** A key whose answer was lost is of no use, as its secret is: it is taken away, and another one made. */
async function makeKey(context: Context, name: string, { grants }: KeyInput): Promise<{ key: SpacesKey }> {
  const make = (): Promise<{ key: SpacesKey }> => api(context).post("spaces/keys", { name, grants });
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof ProviderFailure) || error.class !== "transient") throw error;
    const lost = await findByName(context, name);
    if (lost === undefined) throw error;
    await orAbsent(api(context).delete(`spaces/keys/${lost.access_key}`));
    return make();
  }
}

async function locate({ id, name }: { id: string; name: string }, context: Context): Promise<SpacesKey | undefined> {
  const found =
    id === ""
      ? undefined
      : await orAbsent(
          api(context).get<{ key?: SpacesKey; keys?: SpacesKey[] }>(`spaces/keys/${encodeURIComponent(id)}`),
        );
  const key = found?.key ?? found?.keys?.[0];
  return key ?? (id === "" || id === name ? findByName(context, name) : undefined);
}

function findByName(context: Context, name: string): Promise<SpacesKey | undefined> {
  return findItem(api(context).list<SpacesKey>("spaces/keys", "keys"), (key) => key.name === name);
}

function describe(key: SpacesKey): ResourceState<KeyInput, Outputs> {
  const { name, access_key, secret_key, created_at } = key;
  const grants = key.grants.map(({ bucket, permission }) => ({ bucket, permission }));
  return {
    id: access_key,
    name,
    outputs: { name, access_key, grants, created_at, ...(secret_key === undefined ? {} : { secret_key }) },
    inputs: { name, grants },
  };
}
