import { alreadyExists, notFound, z, type ResourceState } from "@wfctl/plugin-sdk";
import { given, renameKeys } from "../aliases.ts";
import { api, collect, findItem, type Context } from "../calls.ts";
import { isStatus, orAbsent } from "../errors.ts";
import { isUuid, takenMessage } from "../naming.ts";
import { region } from "../regions.ts";
import { retryIf } from "../waiting.ts";
import { scopes } from "../permissions.ts";
import { defineDoResource } from "./define.ts";

interface Vpc {
  readonly id: string;
  readonly urn: string;
  readonly name: string;
  readonly description: string;
  readonly region: string;
  readonly ip_range: string;
  readonly default: boolean;
  readonly created_at: string;
}

const cidr = z.string().regex(/^(?:\d{1,3}\.){3}\d{1,3}\/(?:1[6-9]|2[0-8])$/, {
  error: "expected a network of /16 to /28 in CIDR notation",
});

const input = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-zA-Z0-9.-]+$/)
      .optional()
      .describe("Default: the resource's name"),
    region,
    ip_range: cidr.optional().describe("Default: a free /20 that DigitalOcean chooses"),
    cidr: cidr.optional().describe("Alias of ip_range"),
    description: z.string().max(255).default(""),
  })
  .transform(renameKeys({ cidr: "ip_range" }));
type VpcInput = z.output<typeof input>;

const outputs = z.object({
  id: z.string(),
  name: z.string(),
  urn: z.string(),
  ip_range: z.string(),
  region: z.string(),
  default: z.boolean(),
  created_at: z.string(),
});
type State = ResourceState<VpcInput, z.output<typeof outputs>>;

/** A private network. Names are unique in an account; there are no tags. */
export const vpc = defineDoResource<VpcInput, z.output<typeof outputs>>({
  type: "infra.vpc",
  description: "VPC network",
  input,
  outputs,
  forceNew: ["region", "ip_range"],
  permissions: scopes("vpc"),
  timeouts: { create: 120_000, update: 120_000, delete: 600_000 },

  async create({ name: resource, input: wanted }, context) {
    const cloud = api(context);
    const name = wanted.name ?? resource;
    if ((await findByName(context, name)) !== undefined)
      return alreadyExists(takenMessage(context, { kind: "VPC", name }));
    const { vpc: made } = await cloud.post<{ vpc: Vpc }>(
      "vpcs",
      given({
        name,
        region: wanted.region ?? context.client.config.region,
        ip_range: wanted.ip_range,
        description: wanted.description === "" ? undefined : wanted.description,
      }),
    );
    context.partial(made.id);
    return { ...describe(made), created: true };
  },

  async read(ref, context) {
    const found = await locate(ref, context);
    return found === undefined ? notFound() : describe(found);
  },

  async update(ref, { input: wanted }, context) {
    const found = await locate(ref, context);
    if (found === undefined) return notFound();
    const body = { name: wanted.name ?? found.name, description: wanted.description };
    const { vpc: changed } = await api(context).put<{ vpc: Vpc }>(`vpcs/${found.id}`, body);
    return describe(changed);
  },

  async delete(ref, context) {
    const found = await locate(ref, context);
    if (found === undefined) return notFound();
    // Members leave some time after they are deleted.
    const isInUse = (error: unknown): boolean => isStatus(error, 403, 409) && /member/i.test(error.message);
    await retryIf(context, isInUse, `the members of VPC ${found.name} to leave`, () =>
      orAbsent(api(context).delete(`vpcs/${found.id}`)),
    );
    return undefined;
  },

  import: async (id, context) => {
    const found = await locate({ id, name: "" }, context);
    return found === undefined ? notFound() : describe(found);
  },

  async *list(context) {
    for (const each of await collect(api(context).list<Vpc>("vpcs", "vpcs"))) if (!each.default) yield describe(each);
  },
});

async function locate({ id, name }: { id: string; name: string }, context: Context): Promise<Vpc | undefined> {
  if (id === "" || !isUuid(id)) return findByName(context, id === "" ? name : id);
  return (await orAbsent(api(context).get<{ vpc: Vpc }>(`vpcs/${id}`)))?.vpc;
}

function findByName(context: Context, name: string): Promise<Vpc | undefined> {
  return findItem(api(context).list<Vpc>("vpcs", "vpcs"), (each) => each.name === name);
}

function describe(vpc: Vpc): State {
  const { id, name, urn, ip_range, region: place, description, created_at } = vpc;
  return {
    id,
    name,
    outputs: { id, name, urn, ip_range, region: place, default: vpc.default, created_at },
    inputs: { name, region: place, ip_range, description },
  };
}
