import { dirname } from "node:path";
import { secretsProvider, type StackConfig } from "@wfctl/config";
import { expressionsIn, isJsonObject, referencesIn, type Json } from "@wfctl/model";
import type { SecretStore } from "@wfctl/secrets";
import type { Context } from "../context.ts";
import { resolveVariables } from "./resolve-variables.ts";
import { stackEnv } from "./stack-env.ts";

/**
 * The stack with the values of declared secrets that its resources and providers refer to and the environment does not
 * have, read from their stores. What no store has stays without a value: what needs it says where it was looked for.
 */
export async function withDeclaredSecrets(stack: StackConfig, context: Context): Promise<StackConfig> {
  const module = stack.providers.find((candidate) => candidate.provider === secretsProvider);
  const wanted = missingSecrets(stack, context.env);
  if (wanted.size === 0) return stack;
  const { createStoreFinder } = await import("./secret-parts.ts");
  const config = module === undefined ? {} : resolveVariables(module, stackEnv(stack, context)).config;
  const find = createStoreFinder(config, dirname(stack.files[0] ?? context.cwd), context.env);
  const found: Record<string, string> = {};
  const missing = new Map<string, MissingSecret>();
  for (const name of wanted) {
    const storeName = storeOf(name, stack);
    const store = storeName === undefined ? undefined : find(storeName);
    const value = store?.readable === true ? await store.get(name) : undefined;
    if (value === undefined) missing.set(name, explainMissing(name, store));
    else found[name] = value;
  }
  return {
    ...stack,
    secrets: { ...stack.secrets, missing },
    secretVariables: { ...found, ...stack.secretVariables },
  };
}

type MissingSecret = { readonly why: string; readonly hint: string };

function explainMissing(name: string, store: SecretStore | undefined): MissingSecret {
  if (store === undefined) {
    return {
      why: `the declared secret has no store, and the environment variable is not set`,
      hint: `Set ${name}, or name its store at secrets.entries`,
    };
  }
  if (!store.readable) {
    return {
      why: `the environment variable is not set, and the secret store ${store.label} can only be written`,
      hint: `Set ${name}, or keep it in a store that can be read`,
    };
  }
  const variable = store.variable?.(name);
  return variable === undefined
    ? {
        why: `the secret store ${store.label} has no "${name}", and the environment variable is not set`,
        hint: `Put "${name}" into the secret store ${store.label}, or set ${name}`,
      }
    : {
        why: `the environment variable ${variable}, which its secret store reads, is not set`,
        hint: variable === name ? `Set ${name} and try again` : `Set ${variable} or ${name}`,
      };
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
