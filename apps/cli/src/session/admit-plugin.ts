import type { FoundPlugin } from "@wfctl/plugin-host";
import type { Context } from "../context.ts";

/** The gate before each launch of a plugin: lock file and pin. What it throws is why the plugin is not started. */
export function admitAccepted(context: Pick<Context, "cwd">): (found: FoundPlugin) => Promise<void> {
  return async (found) => {
    const { checkAccepted } = await import("../plugins/check-lock.ts");
    await checkAccepted(found, context.cwd);
  };
}
