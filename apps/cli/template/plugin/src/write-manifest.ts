import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateManifest } from "@wfctl/plugin-sdk";
import { provider } from "./provider.ts";

/** The text of plugin.json: what hosts read before they start the plugin. A test holds the two equal. */
export async function manifestText(): Promise<string> {
  return `${JSON.stringify(await generateManifest(provider), null, 2)}\n`;
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, "..", "plugin.json"), await manifestText());
