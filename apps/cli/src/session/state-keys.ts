/** A place of states that more than one machine uses. */
export type SharedBackend = "s3" | "spaces" | "azure_blob" | "postgres";

const s3Keys = ["region", "bucket", "prefix", "accessKey", "secretKey", "endpoint"];

/** What each backend reads of `config`, beside `backend`. */
export const keysOfBackends: Readonly<Record<SharedBackend | "filesystem" | "sqlite", readonly string[]>> = {
  filesystem: ["directory"],
  sqlite: ["path"],
  s3: s3Keys,
  spaces: s3Keys,
  azure_blob: ["account_url", "account_name", "account_key", "container", "prefix"],
  postgres: ["dsn", "connection_string"],
};

const allKeys: ReadonlySet<string> = new Set(["backend", ...Object.values(keysOfBackends).flat()]);

/**
 * The first key that no backend reads: a misspelt one would put the state where nobody looks for it. Those of another
 * backend are no mistake: an environment that has another one lays its configuration over the others'.
 */
export function unknownStateKey(config: object): string | undefined {
  return Object.keys(config).find((key) => !allKeys.has(key));
}
