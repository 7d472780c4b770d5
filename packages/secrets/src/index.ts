export { openSecretStore, secretStoreProviders, type OpenStoreOptions } from "./open-secret-store.ts";
export {
  createSecretsProvider,
  secretsProviderName,
  type SecretsProviderOptions,
} from "./provider/secrets-provider.ts";
export { createSecretRouter, type SecretRouter, type SecretRouterOptions } from "./route-secrets.ts";
export type { SecretStore } from "./secret-store.ts";
