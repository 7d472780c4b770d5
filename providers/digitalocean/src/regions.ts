import { z } from "@wfctl/plugin-sdk";

/** A zone such as nyc3. Default: the provider's. */
export const region = z
  .string()
  .regex(/^[a-z]{3}\d$/, { error: 'expected a region such as "nyc3"' })
  .optional()
  .describe("Default: the provider's region");

/** Groups of zones, which App Platform wants. */
const regionGroups = ["ams", "atl", "blr", "fra", "lon", "nyc", "sfo", "sgp", "syd", "tlv", "tor"] as const;

/** A group, or a zone, of which the group is taken. */
export const regionGroup = z
  .string()
  .transform((text) => text.replace(/\d$/, ""))
  .pipe(z.enum(regionGroups, { error: `expected one of ${regionGroups.join(", ")}, or a region such as "nyc3"` }))
  .optional()
  .describe(`${regionGroups.join(", ")}. Default: the group of the provider's region`);

export function groupOf(zone: string): string {
  return zone.replace(/\d$/, "");
}
