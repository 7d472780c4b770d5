import type { SecretStore } from "../secret-store.ts";

/** Variables of the process. What is set lives as long as the process, and no other process sees it. */
export function createEnvStore(env: Readonly<Record<string, string | undefined>>, prefix: string): SecretStore {
  const own = new Map<string, string | undefined>();
  return {
    label: `env "${prefix}*"`,
    readable: true,
    variable: (name) => `${prefix}${name}`,
    get: (name) => Promise.resolve(own.has(name) ? own.get(name) : env[`${prefix}${name}`]),
    set(name, value) {
      own.set(name, value);
      return Promise.resolve();
    },
    delete(name) {
      own.set(name, undefined);
      return Promise.resolve();
    },
  };
}
