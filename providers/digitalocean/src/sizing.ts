import { z, type ResourceHints, type Sizing } from "@wfctl/plugin-sdk";

/** The tiers that hosts resolve. */
export const tiers = ["xs", "s", "m", "l", "xl"] as const;
export type Tier = (typeof tiers)[number];
export type SizeTable = Readonly<Record<Tier, string>>;

/**
 * What hosts are told of a tier: upstream's words, which the state of upstream hosts and their plans hold. Where
 * DigitalOcean has no size of that word, or has none any more, the drivers ask for the one of the tables below.
 */
export const hostSizes = {
  app: {
    xs: "apps-s-1vcpu-0.5gb",
    s: "apps-s-1vcpu-1gb",
    m: "apps-s-2vcpu-4gb",
    l: "apps-s-4vcpu-8gb",
    xl: "apps-s-8vcpu-16gb",
  },
  droplet: { xs: "s-1vcpu-512mb", s: "s-1vcpu-2gb", m: "s-2vcpu-4gb", l: "s-4vcpu-8gb", xl: "s-8vcpu-16gb" },
  database: {
    xs: "db-s-1vcpu-1gb",
    s: "db-s-1vcpu-2gb",
    m: "db-s-2vcpu-4gb",
    l: "db-s-4vcpu-8gb",
    xl: "db-s-8vcpu-16gb",
  },
  balancer: { xs: "lb-small", s: "lb-small", m: "lb-medium", l: "lb-large", xl: "lb-large" },
} as const satisfies Record<string, SizeTable>;

export const dropletSizes: SizeTable = {
  xs: "s-1vcpu-512mb-10gb",
  s: "s-1vcpu-2gb",
  m: "s-2vcpu-4gb",
  l: "s-4vcpu-8gb",
  xl: "s-8vcpu-16gb",
};

/** Nodes of clusters need two gigabytes. */
export const nodeSizes: SizeTable = { ...dropletSizes, xs: "s-1vcpu-2gb" };

export const databaseSizes: SizeTable = {
  xs: "db-s-1vcpu-1gb",
  s: "db-s-1vcpu-2gb",
  m: "db-s-2vcpu-4gb",
  l: "db-s-4vcpu-8gb",
  xl: "db-s-6vcpu-16gb",
};

export const appSizes: SizeTable = {
  xs: "apps-s-1vcpu-0.5gb",
  s: "apps-s-1vcpu-1gb",
  m: "apps-s-2vcpu-4gb",
  l: "apps-d-4vcpu-8gb",
  xl: "apps-d-8vcpu-32gb",
};

/** Size units of a load balancer, by its old words; tiers stand for those. */
export const balancerWords: Readonly<Record<string, number>> = { "lb-small": 1, "lb-medium": 3, "lb-large": 6 };

/** Gigabytes of a volume. */
export const volumeSizes: Readonly<Record<Tier, number>> = { xs: 10, s: 50, m: 100, l: 500, xl: 1024 };

export const registryTiers: SizeTable = {
  xs: "starter",
  s: "basic",
  m: "basic",
  l: "professional",
  xl: "professional",
};

export function isTier(size: string): size is Tier {
  return (tiers as readonly string[]).includes(size);
}

/** A size: a tier, or the vendor's own word, which is what comes out. */
export function sizeOf(table: SizeTable) {
  return z
    .string()
    .min(1)
    .transform((size) => (isTier(size) ? table[size] : size))
    .describe(`A tier (${tiers.map((tier) => `${tier}: ${table[tier]}`).join(", ")}) or DigitalOcean's own word`);
}

/** What a host writes into the configuration for a tier: nothing but the type, as the drivers know the tiers themselves. */
export function sizing(table: SizeTable) {
  return ({ size }: { size: string; hints: ResourceHints | undefined }): Sizing | undefined =>
    isTier(size) ? { instanceType: table[size], specs: {} } : undefined;
}
