import { join } from "node:path";
import type { JsonObject } from "@wfctl/model";
import { startPlugin as start, type Plugin } from "@wfctl/testkit/drive";

const launcher = join(import.meta.dirname, "../../aws");
const nowhere = join(import.meta.dirname, "no-such-file");

/** The provider, configured. Nothing of this machine that could lead it to a real account passes. */
export function startPlugin(config: JsonObject, environment: Record<string, string> = {}): Promise<Plugin> {
  return start(launcher, config, {
    withheld: /^AWS_/,
    environment: {
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: nowhere,
      AWS_SHARED_CREDENTIALS_FILE: nowhere,
      ...environment,
    },
  });
}
