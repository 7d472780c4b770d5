import { resolve } from "node:path";
import { WfctlError, type JsonObject } from "@wfctl/model";
import type { Fetch } from "./http.ts";
import type { SecretStore } from "./secret-store.ts";
import { createAwsStore } from "./stores/aws.ts";
import { createEnvStore } from "./stores/env.ts";
import { createFileStore } from "./stores/file.ts";
import { createGithubStore } from "./stores/github.ts";
import { createKeychainStore } from "./stores/keychain.ts";
import { createVaultStore } from "./stores/vault.ts";

export const secretStoreProviders = [
  "file",
  "env",
  "vault",
  "aws",
  "aws-secrets-manager",
  "github",
  "github-actions",
  "keychain",
] as const;

export interface OpenStoreOptions {
  /** Folder that relative paths start from. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** @default the global fetch */
  readonly fetch?: Fetch;
}

/** A store by the name of its provider and its configuration, all references resolved. Nothing is sent before its first use. */
export function openSecretStore(provider: string, config: JsonObject, options: OpenStoreOptions): SecretStore {
  const { env, cwd, fetch: send = fetch } = options;
  const optional = (key: string): string | undefined => {
    const value = config[key];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const required = (key: string, ...variables: readonly string[]): string => {
    const value = optional(key) ?? variables.map((name) => env[name]).find((found) => (found ?? "") !== "");
    if (value !== undefined) return value;
    const or = variables.length === 0 ? "" : `, or set ${variables.join(" or ")}`;
    throw new WfctlError("CONFIG_INVALID", `The secret store "${provider}" has no ${key}`, {
      hint: `Write config: {${key}: …}${or}`,
    });
  };
  const also = <K extends string>(name: K, value: string | undefined): { readonly [key in K]?: string } =>
    (value === undefined ? {} : { [name]: value }) as { readonly [key in K]?: string };
  switch (provider) {
    case "file":
      return createFileStore(resolve(cwd, required("path")));
    case "env":
      return createEnvStore(env, optional("prefix") ?? "");
    case "keychain":
      return createKeychainStore(required("service"));
    case "vault":
      return createVaultStore({
        address: required("address", "VAULT_ADDR"),
        token: required("token", "VAULT_TOKEN"),
        ...also("mountPath", optional("mount_path")),
        ...also("namespace", optional("namespace") ?? env["VAULT_NAMESPACE"]),
        fetch: send,
      });
    case "aws":
    case "aws-secrets-manager":
      return createAwsStore({
        region: required("region", "AWS_REGION", "AWS_DEFAULT_REGION"),
        accessKeyId: required("access_key_id", "AWS_ACCESS_KEY_ID"),
        secretAccessKey: required("secret_access_key", "AWS_SECRET_ACCESS_KEY"),
        ...also("sessionToken", optional("session_token") ?? env["AWS_SESSION_TOKEN"]),
        ...also("endpoint", optional("endpoint") ?? env["AWS_ENDPOINT_URL"]),
        fetch: send,
        nowMs: () => Date.now(),
      });
    case "github":
    case "github-actions": {
      const tokenName = optional("token_env") ?? "GITHUB_TOKEN";
      const token = env[tokenName] ?? "";
      if (token === "") {
        throw new WfctlError("CONFIG_INVALID", `The secret store "${provider}" has no token: ${tokenName} is not set`, {
          hint: `Set ${tokenName}`,
        });
      }
      return createGithubStore({
        repo: required("repo"),
        token,
        ...also("environment", optional("environment")),
        ...also("endpoint", optional("endpoint") ?? env["GITHUB_API_URL"]),
        fetch: send,
      });
    }
    default:
      throw new WfctlError("CONFIG_INVALID", `The secret store provider "${provider}" is not known`, {
        hint: `Known are ${secretStoreProviders.join(", ")}`,
      });
  }
}
