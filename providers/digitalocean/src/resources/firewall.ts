import { alreadyExists, notFound, ProviderFailure, z, type ResourceState } from "@wfctl/plugin-sdk";
import { given } from "../aliases.ts";
import { api, collect, findItem, type Context } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { isUuid, takenMessage } from "../naming.ts";
import { awaitThat } from "../waiting.ts";
import { scopes } from "../permissions.ts";
import { defineDoResource } from "./define.ts";

const id = z.union([z.number().int(), z.string().regex(/^\d+$/).transform(Number)]);
const peers = z
  .union([
    z.array(z.string()).transform((addresses) => ({ addresses })),
    z.strictObject({
      addresses: z.array(z.string()).optional(),
      droplet_ids: z.array(id).optional(),
      tags: z.array(z.string()).optional(),
      load_balancer_uids: z.array(z.string()).optional(),
      kubernetes_ids: z.array(z.string()).optional(),
    }),
  ])
  .transform((given): Peers => sortPeers(given));

interface Peers {
  readonly addresses?: readonly string[] | undefined;
  readonly droplet_ids?: readonly number[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly load_balancer_uids?: readonly string[] | undefined;
  readonly kubernetes_ids?: readonly string[] | undefined;
}

const ports = z
  .union([z.string(), z.number().int().transform(String)])
  .refine((text) => /^(?:all|0|\d{1,5}(?:-\d{1,5})?)$/.test(text), {
    error: 'expected a port, a range such as "8000-9000", or "all"',
  })
  .transform((text) => (text === "0" ? "all" : text))
  .default("all");
const protocol = z.enum(["tcp", "udp", "icmp"]).default("tcp");
const everywhere = ["0.0.0.0/0", "::/0"];

/** ICMP has no ports. */
const settlePorts = <Rule extends { protocol: string; ports: string }>(rule: Rule): Rule =>
  rule.protocol === "icmp" ? { ...rule, ports: "all" } : rule;

const inbound = z
  .strictObject({ protocol, ports, sources: peers.default({ addresses: everywhere }) })
  .transform(settlePorts);
const outbound = z
  .strictObject({ protocol, ports, destinations: peers.default({ addresses: everywhere }) })
  .transform(settlePorts);

const input = z.strictObject({
  name: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9.-]+$/)
    .optional()
    .describe("Default: the resource's name"),
  droplet_ids: z.array(id).max(10).default([]),
  tags: z.array(z.string()).max(5).default([]).describe("The firewall counts for droplets with one of these"),
  inbound_rules: z.array(inbound).default([]).describe("Sources default to everywhere"),
  outbound_rules: z.array(outbound).default([]).describe("Without any, nothing leaves the droplets"),
});
type FirewallInput = z.output<typeof input>;
type Rules = Pick<FirewallInput, "inbound_rules" | "outbound_rules">;

interface Firewall {
  readonly id: string;
  readonly name: string;
  readonly status: "waiting" | "succeeded" | "failed";
  readonly droplet_ids: readonly number[] | null;
  readonly tags: readonly string[] | null;
  readonly inbound_rules: readonly { protocol: "tcp" | "udp" | "icmp"; ports: string; sources: Peers }[] | null;
  readonly outbound_rules: readonly { protocol: "tcp" | "udp" | "icmp"; ports: string; destinations: Peers }[] | null;
  readonly created_at: string;
}

const outputs = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  droplet_ids: z.array(z.number()),
  tags: z.array(z.string()),
  inbound_rules: z.array(z.unknown()),
  outbound_rules: z.array(z.unknown()),
  created_at: z.string(),
});
type Outputs = z.output<typeof outputs>;

/** A cloud firewall. Names are unique in an account; its `tags` are targets and carry no mark. */
export const firewall = defineDoResource<FirewallInput, Outputs>({
  type: "infra.firewall",
  description: "Cloud firewall",
  input,
  outputs,
  unordered: ["droplet_ids", "tags", "inbound_rules", "outbound_rules"],
  permissions: scopes("firewall"),
  timeouts: { create: 300_000, update: 300_000, delete: 120_000 },

  async create({ name: resource, input: wanted }, context) {
    const name = wanted.name ?? resource;
    if ((await findByName(context, name)) !== undefined)
      return alreadyExists(takenMessage(context, { kind: "Firewall", name }));
    const { firewall: made } = await api(context).post<{ firewall: Firewall }>("firewalls", bodyOf(name, wanted));
    context.partial(made.id);
    return { ...describe(await awaitRollout(context, made.id)), created: true };
  },

  async read(ref, context) {
    const found = await locate(ref, context);
    return found === undefined ? notFound() : describe(found);
  },

  async update(ref, { input: wanted }, context) {
    const found = await locate(ref, context);
    if (found === undefined) return notFound();
    await api(context).put(`firewalls/${found.id}`, bodyOf(wanted.name ?? found.name, wanted));
    return describe(await awaitRollout(context, found.id));
  },

  async delete(ref, context) {
    const found = await locate(ref, context);
    if (found === undefined) return notFound();
    await orAbsent(api(context).delete(`firewalls/${found.id}`));
    return undefined;
  },

  async import(wanted, context) {
    const found = await locate({ id: wanted, name: "" }, context);
    return found === undefined ? notFound() : describe(found);
  },

  async *list(context) {
    for (const each of await collect(api(context).list<Firewall>("firewalls", "firewalls"))) yield describe(each);
  },
});

function bodyOf(name: string, wanted: FirewallInput): object {
  // The API takes no ports with ICMP, and wants "0" for all of them.
  const portsOf = ({ protocol: kind, ports: text }: { protocol: string; ports: string }): string =>
    kind === "icmp" || text === "all" ? "0" : text;
  return {
    name,
    droplet_ids: wanted.droplet_ids,
    tags: wanted.tags,
    inbound_rules: wanted.inbound_rules.map((rule) => ({
      protocol: rule.protocol,
      ports: portsOf(rule),
      sources: given(rule.sources),
    })),
    outbound_rules: wanted.outbound_rules.map((rule) => ({
      protocol: rule.protocol,
      ports: portsOf(rule),
      destinations: given(rule.destinations),
    })),
  };
}

async function awaitRollout(context: Context, firewallId: string): Promise<Firewall> {
  return awaitThat(context, "the firewall's rules to reach its droplets", async () => {
    const found = await orAbsent(api(context).get<{ firewall: Firewall }>(`firewalls/${firewallId}`));
    if (found?.firewall.status === "failed") {
      throw new ProviderFailure(
        "unknown",
        "DigitalOcean could not bring the firewall's rules to its droplets; apply again",
      );
    }
    return found?.firewall.status === "succeeded" ? found.firewall : undefined;
  });
}

async function locate(ref: { id: string; name: string }, context: Context): Promise<Firewall | undefined> {
  if (!isUuid(ref.id)) return findByName(context, ref.id === "" ? ref.name : ref.id);
  return (await orAbsent(api(context).get<{ firewall: Firewall }>(`firewalls/${ref.id}`)))?.firewall;
}

function findByName(context: Context, name: string): Promise<Firewall | undefined> {
  return findItem(api(context).list<Firewall>("firewalls", "firewalls"), (each) => each.name === name);
}

function describe(live: Firewall): ResourceState<FirewallInput, Outputs> {
  const rules: Rules = {
    inbound_rules: (live.inbound_rules ?? []).map((rule) =>
      settlePorts({ protocol: rule.protocol, ports: allPorts(rule.ports), sources: sortPeers(rule.sources) }),
    ),
    outbound_rules: (live.outbound_rules ?? []).map((rule) =>
      settlePorts({ protocol: rule.protocol, ports: allPorts(rule.ports), destinations: sortPeers(rule.destinations) }),
    ),
  };
  const shared = {
    name: live.name,
    droplet_ids: [...(live.droplet_ids ?? [])],
    tags: [...(live.tags ?? [])],
    ...rules,
  };
  return {
    id: live.id,
    name: live.name,
    status: live.status === "failed" ? "degraded" : "running",
    outputs: { ...shared, id: live.id, status: live.status, created_at: live.created_at },
    inputs: shared,
  };
}

const allPorts = (text: string): string => (text === "0" || text === "" ? "all" : text);

/** Without empty lists, each list in order: the API answers in its own. */
function sortPeers(given: Peers): Peers {
  const made: Record<string, readonly unknown[]> = {};
  for (const [key, list] of Object.entries(given) as [string, readonly (string | number)[] | undefined][]) {
    if (list !== undefined && list.length > 0) made[key] = list.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  }
  return made as Peers;
}
