import { existsSync, readdirSync } from "node:fs";
import type { StackConfig } from "@wfctl/config";
import type { Digester } from "@wfctl/engine";
import { WfctlError } from "@wfctl/model";
import {
  createDigester,
  createLineage,
  openSqliteStore,
  readStackInfo,
  resolveKey,
  stackExists,
  type ResolvedKey,
  type SqliteStore,
} from "@wfctl/state";
import type { Context } from "../context.ts";
import type { View } from "../views/view.ts";
import type { StateLocation } from "./locate-state.ts";
import { isCi } from "./runtime.ts";
import { hasUpstreamRecords } from "./upstream-records.ts";

/** A state with its key. */
export interface OpenState {
  readonly store: SqliteStore;
  readonly digester: Digester;
  readonly key: ResolvedKey;
}

/** Opens a state to look at. Undefined where there is none; without a key its secrets stay sealed. */
export async function openForReading(
  location: StateLocation,
  context: Context,
): Promise<{ readonly store: SqliteStore; readonly key: ResolvedKey | undefined } | undefined> {
  const info = readStackInfo(location.path);
  if (info === undefined) return undefined;
  const key = await findKey(info.lineage, context, false);
  const store = await openSqliteStore({
    path: location.path,
    readOnly: true,
    ...(key === undefined ? {} : { key: key.key }),
  });
  return { store, key };
}

/** Opens a state that exists, with its key. `readOnly` refuses to take the lease. */
export async function openWithKey(
  location: StateLocation,
  context: Context,
  view: Pick<View, "notice">,
  options: { readonly readOnly: boolean },
): Promise<OpenState> {
  const info = readStackInfo(location.path);
  if (info === undefined) {
    throw new WfctlError("STORE_UNAVAILABLE", `There is no state at "${location.path}"`, {
      hint: "Check --config and -e; apply makes the state of a new stack",
    });
  }
  const key = await findKey(info.lineage, context, false);
  if (key === undefined) {
    throw new WfctlError("KEY_REQUIRED", `Cannot open the state "${location.path}": its key is not on this machine`, {
      hint: "Set WFCTL_KEY, WFCTL_KEY_FILE or WFCTL_PASSPHRASE, or bring the key file back; if it is lost: wfctl state rekey --drop-secrets",
    });
  }
  tellAboutKey(key, view);
  const store = await openSqliteStore({ path: location.path, key: key.key, readOnly: options.readOnly });
  return { store, key, digester: createDigester(key.key, info.lineage) };
}

export interface CreateOptions {
  readonly stack: StackConfig;
  /** `--new-state`. */
  readonly newState: boolean;
  /** The lineage that a saved plan of a new stack was made for. */
  readonly lineage?: string;
}

/** Opens the state to write, and makes it where there is none. Throws STATE_NEW in CI where even its folder is new. */
export async function openOrCreate(
  location: StateLocation,
  context: Context,
  view: Pick<View, "notice">,
  options: CreateOptions,
): Promise<OpenState> {
  if (stackExists(location.path)) return openWithKey(location, context, view, { readOnly: false });
  if (isCi(context.env) && !options.newState && !holdsStates(location.directory)) {
    throw new WfctlError("STATE_NEW", `Cannot apply in CI: there is no state in "${location.directory}"`, {
      hint: "Restore the state directory before the run, or allow a new one with --new-state",
    });
  }
  const lineage = options.lineage ?? createLineage();
  const key = (await findKey(lineage, context, true)) as ResolvedKey;
  tellAboutKey(key, view);
  const { name, environment } = options.stack;
  const store = await openSqliteStore({
    path: location.path,
    key: key.key,
    create: { name, environment, lineage },
  });
  if (store.info.lineage !== lineage) {
    // Another process made the state in between: its key is the one that counts.
    await store.close();
    return openWithKey(location, context, view, { readOnly: false });
  }
  return { store, key, digester: createDigester(key.key, lineage) };
}

/** Throws STATE_FOREIGN where upstream keeps records of a stack that this state knows nothing of. */
export function refuseForeignRecords(location: StateLocation, serial: number, stack: StackConfig): void {
  if (serial > 0) return;
  const directory = location.foreignDirectories.find(hasUpstreamRecords);
  if (directory === undefined) return;
  const environment = stack.environments.length === 0 ? "" : ` -e ${stack.environment}`;
  throw new WfctlError(
    "STATE_FOREIGN",
    `Records of the upstream system are in "${directory}", and this stack is empty`,
    {
      hint: `Take them over with: wfctl state import --from ${directory}${environment}`,
    },
  );
}

/** Finds the key of a stack; makes a key file where `create` allows it. */
export function findKey(lineage: string, context: Context, create: boolean): Promise<ResolvedKey | undefined> {
  return resolveKey({ env: context.env, lineage, shared: false, ci: isCi(context.env), createIfMissing: create });
}

export function tellAboutKey(key: ResolvedKey, view: Pick<View, "notice">): void {
  if (key.created) {
    view.notice(
      `A new key seals the secrets of this state: ${key.path}. Keep a copy in a safe place; without it the secrets in the state cannot be read.`,
    );
  }
  if (key.exposed) view.notice(`The key file ${key.path} can be read by others: chmod 600 ${key.path}`);
}

function holdsStates(directory: string): boolean {
  return existsSync(directory) && readdirSync(directory).some((name) => name.endsWith(".db"));
}
