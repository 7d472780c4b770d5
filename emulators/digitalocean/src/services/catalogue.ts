import type { JsonObject } from "@wfctl/emulator-core";
import { paged, type Handlers } from "./answers.ts";

const regionNames: Readonly<Record<string, string>> = {
  nyc1: "New York 1",
  nyc2: "New York 2",
  nyc3: "New York 3",
  sfo2: "San Francisco 2",
  sfo3: "San Francisco 3",
  ams3: "Amsterdam 3",
  sgp1: "Singapore 1",
  lon1: "London 1",
  fra1: "Frankfurt 1",
  tor1: "Toronto 1",
  blr1: "Bangalore 1",
  syd1: "Sydney 1",
};

/** Closed to new customers: listed, and not available. */
const closed = new Set(["nyc2", "sfo2"]);
const sizeShapes: readonly (readonly [slug: string, memory: number, vcpus: number, disk: number, monthly: number])[] = [
  ["s-1vcpu-512mb-10gb", 512, 1, 10, 4],
  ["s-1vcpu-1gb", 1024, 1, 25, 6],
  ["s-1vcpu-2gb", 2048, 1, 50, 12],
  ["s-2vcpu-2gb", 2048, 2, 60, 18],
  ["s-2vcpu-4gb", 4096, 2, 80, 24],
  ["s-4vcpu-8gb", 8192, 4, 160, 48],
  ["s-8vcpu-16gb", 16_384, 8, 320, 96],
  ["c-2", 4096, 2, 25, 42],
  ["g-2vcpu-8gb", 8192, 2, 25, 63],
];

export const sizes: readonly JsonObject[] = sizeShapes.map(([slug, memory, vcpus, disk, monthly]) => ({
  slug,
  memory,
  vcpus,
  disk,
  transfer: vcpus,
  price_monthly: monthly,
  price_hourly: monthly / 672,
  regions: Object.keys(regionNames),
  available: true,
  description: "Basic",
}));

export const regions: readonly JsonObject[] = Object.entries(regionNames).map(([slug, name]) => ({
  slug,
  name,
  available: !closed.has(slug),
  features: ["backups", "ipv6", "metadata", "install_agent", "storage", "image_transfer"],
  sizes: sizes.map(({ slug: size }) => size as string),
}));

export function regionOf(slug: string): JsonObject | undefined {
  return regions.find((region) => region["slug"] === slug);
}

export function sizeOf(slug: string): JsonObject | undefined {
  return sizes.find((size) => size["slug"] === slug);
}

export const catalogue: Handlers = {
  regions_list: (request) => paged(request, "regions", regions),
  sizes_list: (request) => paged(request, "sizes", sizes),
  account_get: ({ account }) => ({
    status: 200,
    body: {
      account: {
        droplet_limit: 25,
        floating_ip_limit: 5,
        email: `${account.name.replaceAll(/[^a-z0-9]/gi, "-")}@example.com`,
        uuid: account.uuid,
        email_verified: true,
        status: "active",
        status_message: "",
        team: { uuid: account.uuid, name: account.name },
      },
    },
  }),
  projects_list: (request) => paged(request, "projects", request.account.projects.list()),
};
