import { secretsProvider, type StackConfig } from "@wfctl/config";
import { WfctlError } from "@wfctl/model";
import { createProviderPool, type ProviderDescription } from "@wfctl/plugin-host";
import type { Context } from "../context.ts";
import { admitAccepted } from "./admit-plugin.ts";
import { bundledPlugins } from "./plugin-folders.ts";

/**
 * What the plugins of a stack say of themselves, by provider module; the built-in one has nothing to say. They get no
 * configuration and are ended again. With `onFailure` a plugin that cannot be had is told to it, with the first module
 * that needs it, and the others are described all the same; without, the first failure is thrown.
 */
export async function describeProviders(
  stack: Pick<StackConfig, "providers">,
  context: Context,
  pluginDir: string | undefined,
  onFailure?: (module: StackConfig["providers"][number], error: WfctlError) => void,
): Promise<ReadonlyMap<string, ProviderDescription>> {
  const modules = stack.providers.filter(({ provider }) => provider !== secretsProvider);
  const { WFCTL_NEW_KEY: _, ...env } = context.env;
  const pool = createProviderPool({
    modules,
    cwd: context.cwd,
    env,
    extraDirs: bundledPlugins(),
    ...(pluginDir === undefined ? {} : { pluginDir }),
    log: () => undefined,
    onWaiting: (line) => context.stderr.write(`${line}\n`),
    admit: admitAccepted(context),
  });
  try {
    const described = new Map<string, ProviderDescription>();
    const byProvider = new Map<string, ProviderDescription | undefined>();
    for (const module of modules) {
      if (!byProvider.has(module.provider)) {
        const description = await pool.describeProvider(module.name).catch((error: unknown) => {
          if (onFailure === undefined) throw error;
          onFailure(module, WfctlError.from(error));
          return undefined;
        });
        byProvider.set(module.provider, description);
      }
      const description = byProvider.get(module.provider);
      if (description !== undefined) described.set(module.name, description);
    }
    return described;
  } finally {
    await pool.shutdownAll();
  }
}
