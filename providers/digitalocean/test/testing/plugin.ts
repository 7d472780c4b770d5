import { join } from "node:path";
import type { JsonObject } from "@wfctl/model";
import { startPlugin as start, type Plugin } from "@wfctl/testkit/drive";

/** The provider, configured. Nothing of this machine that could lead it to a real account passes. */
export function startPlugin(
  config: JsonObject,
  environment: Record<string, string> = {},
  launcher: string = join(import.meta.dirname, "../../digitalocean"),
): Promise<Plugin> {
  return start(launcher, config, { withheld: /DIGITALOCEAN|SPACES/, environment });
}
