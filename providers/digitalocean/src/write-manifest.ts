import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateManifest } from "@wfctl/plugin-sdk";
import { digitalOceanProvider } from "./provider.ts";

/** Writes plugin.json from the provider's definition: `npm run manifest -w providers/digitalocean`. A test holds them equal. */
export async function manifestText(): Promise<string> {
  return `${JSON.stringify(await generateManifest(digitalOceanProvider), null, 2)}\n`;
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, "..", "plugin.json"), await manifestText());
