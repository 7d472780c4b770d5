import { existsSync, readdirSync } from "node:fs";
import type { StackConfig } from "@wfctl/config";
import type { Digester } from "@wfctl/engine";
import { WfctlError } from "@wfctl/model";
import { createDigester, resolveKey, type ResolvedKey, type StateStore } from "@wfctl/state";
import type { Context } from "../context.ts";
import type { View } from "../views/view.ts";
import type { StateLocation } from "./locate-state.ts";
import { beginState, dropPendingState, endPendingState, keepKeyFile } from "./pending-state.ts";
import { isCi } from "./runtime.ts";
import { hasUpstreamRecords } from "./upstream-records.ts";

/** A state with its key. */
export interface OpenState {
  readonly store: StateStore;
  readonly location: StateLocation;
  readonly digester: Digester;
  readonly key: ResolvedKey;
}

/** Opens a state to look at. Undefined where there is none; without a key its secrets stay sealed. */
export async function openForReading(
  location: StateLocation,
  context: Context,
): Promise<{ readonly store: StateStore; readonly key: ResolvedKey | undefined } | undefined> {
  const info = await location.backend.readInfo();
  if (info === undefined) return undefined;
  const key = await findKey(info.lineage, context, location, false);
  const store = await location.backend.open({ readOnly: true, ...(key === undefined ? {} : { key: key.key }) });
  return { store, key };
}

/** Opens a state that exists, with its key. Throws STORE_UNAVAILABLE where there is none. */
export async function openWithKey(...call: Parameters<typeof openIfThere>): Promise<OpenState> {
  const opened = await openIfThere(...call);
  if (opened === undefined) throw noState(call[0]);
  return opened;
}

export function noState({ backend }: StateLocation): WfctlError {
  return new WfctlError("STORE_UNAVAILABLE", `There is no state at "${backend.location}"`, {
    hint: "Check --config and -e; apply makes the state of a new stack",
  });
}

/** Opens a state with its key; undefined where there is none. `readOnly` refuses to take the lease. */
export async function openIfThere(
  location: StateLocation,
  context: Context,
  view: Pick<View, "notice">,
  options: { readonly readOnly: boolean },
): Promise<OpenState | undefined> {
  const { backend } = location;
  const info = await backend.readInfo();
  if (info === undefined) return undefined;
  const key = await findKey(info.lineage, context, location, false);
  if (key === undefined) {
    throw new WfctlError(
      "KEY_REQUIRED",
      `Cannot open the state "${backend.location}": its key is not on this machine`,
      {
        hint: `Set WFCTL_KEY, WFCTL_KEY_FILE or WFCTL_PASSPHRASE${location.shared ? "; it is the one that the state was made with" : ", or bring the key file back; if it is lost: wfctl state rekey --drop-secrets"}`,
      },
    );
  }
  tellAboutKey(key, view);
  const store = await backend.open({ key: key.key, readOnly: options.readOnly });
  return { store, location, key, digester: createDigester(key.key, info.lineage) };
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
  const opened = await openIfThere(location, context, view, { readOnly: false });
  if (opened !== undefined) {
    endPendingState(location, context);
    return opened;
  }
  const { file } = location;
  if (file !== undefined && isCi(context.env) && !options.newState && !holdsStates(file.directory)) {
    throw new WfctlError("STATE_NEW", `Cannot apply in CI: there is no state in "${file.directory}"`, {
      hint: "Restore the state directory before the run, or allow a new one with --new-state",
    });
  }
  const { lineage, reused } =
    options.lineage === undefined ? beginState(location, context) : { lineage: options.lineage, reused: false };
  const key = (await findKey(lineage, context, location, true)) as ResolvedKey;
  const { name, environment } = options.stack;
  const store = await location.backend
    .open({ key: key.key, create: { name, environment, lineage } })
    .catch(async (error: unknown) => {
      await dropPendingState(key, lineage, location, context);
      throw error;
    });
  if (store.info.lineage === lineage) {
    keepKeyFile(key);
    endPendingState(location, context);
    // The command that made the key may have been killed before it could tell of it.
    tellAboutKey({ ...key, created: key.created || (reused && key.source === "file") }, view);
  } else {
    // Another process made the state in between: its key is the one that counts.
    await store.close();
    await dropPendingState(key, lineage, location, context);
    return openWithKey(location, context, view, { readOnly: false });
  }
  return { store, location, key, digester: createDigester(key.key, lineage) };
}

/** To be called where the stack is empty. Throws STATE_FOREIGN where upstream keeps records that it knows nothing of. */
export async function refuseForeignRecords(location: StateLocation, stack: StackConfig): Promise<void> {
  const directory = location.foreignDirectories.find(hasUpstreamRecords);
  const environment = stack.environments.length === 0 ? "" : ` -e ${stack.environment}`;
  if (directory === undefined) {
    const place = await location.backend.findUpstreamRecords();
    if (place === undefined) return;
    throw new WfctlError("STATE_FOREIGN", `Records of the upstream system are in ${place}, and this stack is empty`, {
      hint: `Bring them into a folder and take them over with: wfctl state import --from DIR${environment}; or choose another prefix`,
    });
  }
  throw new WfctlError(
    "STATE_FOREIGN",
    `Records of the upstream system are in "${directory}", and this stack is empty`,
    {
      hint: `Take them over with: wfctl state import --from ${directory}${environment}`,
    },
  );
}

/** Finds the key of a stack; makes a key file where `create` allows it. */
export function findKey(
  lineage: string,
  context: Context,
  { shared }: Pick<StateLocation, "shared">,
  create: boolean,
): Promise<ResolvedKey | undefined> {
  return resolveKey({ env: context.env, lineage, shared, ci: isCi(context.env), createIfMissing: create });
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
