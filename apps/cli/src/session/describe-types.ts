import type { StackConfig } from "@wfctl/config";
import { createProviderPool, type ProviderDescription } from "@wfctl/plugin-host";
import type { Context } from "../context.ts";
import { admitAccepted } from "./admit-plugin.ts";
import { bundledPlugins } from "./plugin-folders.ts";

/** What the plugins of a stack say of themselves, by provider module. They get no configuration and are ended again. */
export async function describeProviders(
  stack: Pick<StackConfig, "providers">,
  context: Context,
  pluginDir: string | undefined,
): Promise<ReadonlyMap<string, ProviderDescription>> {
  const { WFCTL_NEW_KEY: _, ...env } = context.env;
  const pool = createProviderPool({
    modules: stack.providers,
    cwd: context.cwd,
    env,
    extraDirs: bundledPlugins(),
    ...(pluginDir === undefined ? {} : { pluginDir }),
    log: () => undefined,
    admit: admitAccepted(context),
  });
  try {
    const described = new Map<string, ProviderDescription>();
    const byProvider = new Map<string, ProviderDescription>();
    for (const module of stack.providers) {
      const description = byProvider.get(module.provider) ?? (await pool.describeProvider(module.name));
      byProvider.set(module.provider, description);
      described.set(module.name, description);
    }
    return described;
  } finally {
    await pool.shutdownAll();
  }
}
