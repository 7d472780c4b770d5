import type { Account, Thing } from "../account.ts";
import { asText, conflict, fail, noContent, notFound, paged, textOf, unprocessable, type Handlers } from "./answers.ts";

const tiers: Readonly<Record<string, { repositories: number; price: number; registries: number }>> = {
  starter: { repositories: 1, price: 0, registries: 1 },
  basic: { repositories: 5, price: 500, registries: 1 },
  professional: { repositories: 0, price: 2000, registries: 10 },
};

/** The old paths know one registry; with more, they refuse. */
const several = () =>
  fail(412, "precondition_failed", "This endpoint does not support more than one registry; use /v2/registries");

export const registries: Handlers = {
  registries_list: ({ account }) => ({
    status: 200,
    body: { registries: account.registries.list().map((registry) => describe(account, registry)) },
  }),
  registries_create: ({ account, body }) => create(account, body),
  registries_get({ account, params }) {
    const registry = account.registries.get(params["registry_name"] ?? "");
    return registry === undefined ? notFound() : { status: 200, body: { registry: describe(account, registry) } };
  },
  registries_delete: ({ account, params }) =>
    account.registries.remove(params["registry_name"] ?? "") ? noContent : notFound(),
  registry_create: ({ account, body }) => create(account, body),
  registry_get({ account }) {
    const [registry, other] = account.registries.list();
    if (registry === undefined) return notFound();
    return other === undefined ? { status: 200, body: { registry: describe(account, registry) } } : several();
  },
  registry_delete({ account }) {
    const [registry, other] = account.registries.all();
    if (registry === undefined) return notFound();
    if (other !== undefined) return several();
    account.registries.remove(asText(registry["name"]));
    return noContent;
  },
  registry_get_subscription: ({ account }) => ({ status: 200, body: { subscription: subscriptionOf(account) } }),
  registry_update_subscription({ account, body }) {
    const tier = textOf(body, "tier_slug") ?? account.subscription.tier;
    if (tiers[tier]!.registries < account.registries.all().length)
      return unprocessable("too many registries for that tier");
    account.subscription.tier = tier;
    return { status: 200, body: { subscription: subscriptionOf(account) } };
  },
  registry_get_dockerCredentials: ({ account, query }) => ({
    status: 200,
    body: {
      auths: {
        "registry.digitalocean.com": {
          auth: Buffer.from(`${account.name}:${query["read_write"] === true ? "write" : "read"}`).toString("base64"),
        },
      },
    },
  }),
  registry_list_repositoryTags(request) {
    const { registry_name: name = "", repository_name: repository = "" } = request.params;
    const tags = request.account.repositories.get(name)?.get(repository);
    if (request.account.registries.get(name) === undefined || tags === undefined) return notFound();
    const items = tags.map((tag): Thing => ({
      registry_name: name,
      repository,
      tag,
      manifest_digest: `sha256:${tag}`,
      compressed_size_bytes: 1,
      size_bytes: 1,
      updated_at: request.account.clock.iso(),
    }));
    return paged(request, "tags", items);
  },
};

function create(account: Account, body: Thing) {
  const name = textOf(body, "name")!;
  const tier = textOf(body, "subscription_tier_slug")!;
  const count = account.registries.all().length;
  if (account.registries.own(name) !== undefined) return conflict("name is already taken");
  if (count > 0 && tiers[tier]!.registries <= count)
    return conflict("the account has a registry already; more need the professional tier");
  account.subscription.tier = tier;
  const registry = account.registries.add(name, {
    name,
    region: textOf(body, "region") ?? "nyc3",
    created_at: account.clock.iso(),
    storage_usage_bytes: 0,
    storage_usage_bytes_updated_at: account.clock.iso(),
  });
  account.repositories.set(name, new Map());
  return { status: 201, body: { registry: describe(account, registry) } };
}

function describe(account: Account, registry: Thing): Thing {
  return { ...registry, subscription: subscriptionOf(account) };
}

function subscriptionOf(account: Account): Thing {
  const slug = account.subscription.tier;
  const { repositories, price } = tiers[slug]!;
  return {
    tier: {
      name: `${slug[0]!.toUpperCase()}${slug.slice(1)}`,
      slug,
      included_repositories: repositories,
      included_storage_bytes: 524_288_000,
      allow_storage_overage: slug !== "starter",
      included_bandwidth_bytes: 524_288_000,
      monthly_price_in_cents: price,
      storage_overage_price_in_cents: 2,
    },
    created_at: account.clock.iso(),
    updated_at: account.clock.iso(),
  };
}
