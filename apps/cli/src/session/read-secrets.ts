import { dirname } from "node:path";
import { secretsProvider, type StackConfig } from "@wfctl/config";
import { expressionsIn, isJsonObject, referencesIn, type Json } from "@wfctl/model";
import type { Context } from "../context.ts";
import { resolveVariables } from "./resolve-variables.ts";
import { stackEnv } from "./stack-env.ts";

/**
 * The stack with the values of declared secrets that its resources and providers refer to and the environment does not
 * have, read from their stores. What no store has stays without a value: what needs it says so.
 */
export async function withDeclaredSecrets(stack: StackConfig, context: Context): Promise<StackConfig> {
  const module = stack.providers.find((candidate) => candidate.provider === secretsProvider);
  const wanted = module === undefined ? new Set<string>() : missingSecrets(stack, context.env);
  if (module === undefined || wanted.size === 0) return stack;
  const { createStoreFinder } = await import("./secret-parts.ts");
  const { config } = resolveVariables(module, stackEnv(stack, context));
  const find = createStoreFinder(config, dirname(stack.files[0] ?? context.cwd), context.env);
  const found: Record<string, string> = {};
  for (const name of wanted) {
    const storeName = storeOf(name, stack);
    const store = storeName === undefined ? undefined : find(storeName);
    const value = store?.readable === true ? await store.get(name) : undefined;
    if (value !== undefined) found[name] = value;
  }
  return { ...stack, secretVariables: { ...found, ...stack.secretVariables } };
}

function missingSecrets(stack: StackConfig, env: Context["env"]): Set<string> {
  const declared = new Set(stack.secrets.declared);
  const names = new Set<string>();
  for (const { config, provider } of [...stack.resources, ...stack.providers]) {
    if (provider === secretsProvider) continue;
    for (const [, expression] of expressionsIn(config)) {
      for (const reference of referencesIn(expression)) {
        if ("env" in reference && declared.has(reference.env) && env[reference.env] === undefined) {
          names.add(reference.env);
        }
      }
    }
  }
  return names;
}

/** The store of a declared secret: its own, the default one, the provider's. */
function storeOf(name: string, { secrets }: StackConfig): string | undefined {
  const entries = [secrets.settings?.["entries"], secrets.settings?.["generate"]].flatMap((list) =>
    Array.isArray(list) ? (list as readonly Json[]) : [],
  );
  const entry = entries.find((item) => isJsonObject(item) && (item["name"] === name || item["key"] === name));
  const own = isJsonObject(entry) ? entry["store"] : undefined;
  const choices = [own, secrets.settings?.["defaultStore"], secrets.settings?.["provider"]];
  return choices.find((choice) => typeof choice === "string");
}
