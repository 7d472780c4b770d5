import type { StackConfig } from "@wfctl/config";
import { suggestHint } from "@wfctl/config/suggest";
import { WfctlError, type JsonObject } from "@wfctl/model";
import { createLogBackend, type FolderBucket, type LeaseTimes, type StateBackend } from "@wfctl/state";
import type { Context } from "../context.ts";
import { keysOfBackends, unknownStateKey, type SharedBackend } from "./state-keys.ts";

interface SharedState {
  readonly stack: Pick<StackConfig, "name" | "environment">;
  /** Name of the `iac.state` module. */
  readonly module: string;
  readonly config: JsonObject;
  readonly emergencyBase: string;
}

/** As upstream has it. */
const defaultPrefix = "iac-state/";

/** Makes the backend that the configuration describes, and loads its client. Throws CONFIG_INVALID. */
export async function openSharedBackend(
  kind: SharedBackend,
  state: SharedState,
  context: Pick<Context, "env">,
): Promise<StateBackend> {
  const unknown = unknownStateKey(state.config);
  if (unknown !== undefined) {
    const known = keysOfBackends[kind];
    const hint = suggestHint(unknown, known, `The backend "${kind}" knows ${known.join(", ")}`);
    throw invalid(state, `config.${unknown} is no key of the backend "${kind}"`, hint);
  }
  const text = (...keys: readonly string[]): string | undefined => {
    for (const key of keys) {
      const value = state.config[key];
      if (value === undefined || value === null || value === "") continue;
      if (typeof value === "string") return value;
      throw invalid(state, `config.${key} is ${JSON.stringify(value)}, expected a text`);
    }
    return undefined;
  };
  const needed = (...keys: readonly string[]): string => {
    const found = text(...keys);
    if (found !== undefined) return found;
    throw invalid(state, `config.${keys[0]} is missing, which the backend "${kind}" needs`);
  };
  const rest = { emergency: state.emergencyBase, ...leaseOf(context) };
  if (kind === "postgres") {
    const { createPostgresBackend, findDsnProblem } = await import("@wfctl/state/postgres");
    const { name, environment } = state.stack;
    const dsn = needed("dsn", "connection_string");
    const problem = findDsnProblem(dsn);
    if (problem !== undefined) throw invalid(state, `config.dsn ${problem.why}`, problem.hint);
    return createPostgresBackend({ database: { dsn }, stack: { name, environment }, ...rest });
  }
  const inFolders = (open: (prefix: string) => FolderBucket): StateBackend => {
    const prefix = text("prefix") ?? defaultPrefix;
    const folder = `${prefix}${prefix.endsWith("/") ? "" : "/"}${state.stack.name}/${state.stack.environment}/`;
    return createLogBackend({ bucket: open(folder), upstream: open(prefix), ...rest });
  };
  if (kind === "azure_blob") {
    const { createAzureBlobBucket } = await import("@wfctl/state/azure-blob");
    const account = {
      accountUrl: needed("account_url"),
      accountName: needed("account_name"),
      accountKey: needed("account_key"),
      container: needed("container"),
    };
    return inFolders((prefix) => createAzureBlobBucket({ ...account, prefix }));
  }
  const { createS3Bucket } = await import("@wfctl/state/s3");
  const { env } = context;
  const region = text("region") ?? (kind === "s3" ? env["AWS_REGION"] || env["AWS_DEFAULT_REGION"] : undefined);
  const endpoint =
    text("endpoint") ??
    (kind === "spaces" ? `https://${region ?? needed("region")}.digitaloceanspaces.com` : undefined);
  const accessKeyId = text("accessKey") ?? (kind === "spaces" ? env["DO_SPACES_ACCESS_KEY"] : undefined);
  const secretAccessKey = text("secretKey") ?? (kind === "spaces" ? env["DO_SPACES_SECRET_KEY"] : undefined);
  const hasKeys = accessKeyId !== undefined && secretAccessKey !== undefined;
  if (!hasKeys && (kind === "spaces" || accessKeyId !== undefined || secretAccessKey !== undefined)) {
    throw invalid(
      state,
      "one of config.accessKey and config.secretKey is missing",
      "Write both as ${NAME} of variables",
    );
  }
  const options = {
    bucket: needed("bucket"),
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(hasKeys ? { accessKeyId, secretAccessKey } : {}),
  };
  return inFolders((prefix) => createS3Bucket({ ...options, prefix }));
}

/** `WFCTL_TEST_LEASE=BEAT,EXPIRY` in milliseconds, for tests of this repository only. */
function leaseOf({ env }: Pick<Context, "env">): { readonly lease?: LeaseTimes } {
  const [beatMs, expiryMs] = (env["WFCTL_TEST_LEASE"] ?? "").split(",").map(Number);
  return beatMs !== undefined && expiryMs !== undefined && beatMs > 0 && expiryMs > beatMs
    ? { lease: { beatMs, expiryMs } }
    : {};
}

function invalid(
  { module }: SharedState,
  why: string,
  hint = "See docs/state-stores.md for the keys of each backend",
): WfctlError {
  return new WfctlError("CONFIG_INVALID", `Cannot open the state of "${module}": ${why}`, { address: module, hint });
}
