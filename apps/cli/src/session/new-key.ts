import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolders, WfctlError } from "@wfctl/model";
import { formatKey, generateKey, parseKey, type ResolvedKey, type StackKey } from "@wfctl/state";
import type { Context } from "../context.ts";
import { findKey } from "./open-state.ts";

/** A key that is about to take over, with what to do once the state is sealed with it, or is not. */
export interface NewKey {
  readonly key: StackKey;
  /** Where it is kept, for people. */
  readonly where: string;
  keep(): void;
  discard(): void;
}

/**
 * The new key of a state: `WFCTL_NEW_KEY`; else, where the old one is lost and another is given, the given one; else a new
 * key file in the place of the old one. The file is written before the state is sealed and takes its place after it, so that
 * whatever happens one of the two files opens the state.
 */
export async function chooseNewKey(
  context: Context,
  stack: {
    readonly lineage: string;
    readonly path: string;
    readonly dropsSecrets: boolean;
    readonly current: ResolvedKey | undefined;
  },
): Promise<NewKey> {
  const nothing = (): void => undefined;
  const given = context.env["WFCTL_NEW_KEY"] ?? "";
  if (given !== "") {
    const key = parseKey(given, "WFCTL_NEW_KEY");
    return {
      key,
      where: "the one in WFCTL_NEW_KEY: give it as WFCTL_KEY from now on",
      keep: nothing,
      discard: nothing,
    };
  }
  if (stack.dropsSecrets) {
    const found = await findKey(stack.lineage, context, { shared: false }, false);
    if (found !== undefined && found.source !== "file") {
      return { key: found.key, where: `the one in ${found.source}`, keep: nothing, discard: nothing };
    }
  } else if (stack.current !== undefined && stack.current.source !== "file") {
    throw new WfctlError(
      "KEY_REQUIRED",
      `Cannot change the key: it comes from ${stack.current.source}, so the new one must be given too`,
      {
        hint: "Set WFCTL_NEW_KEY (openssl rand -base64 32)",
      },
    );
  }
  const key = generateKey();
  const draft = `${stack.path}.new`;
  try {
    makeFolders(dirname(stack.path), { mkdirSync, statSync }, 0o700);
    writeFileSync(draft, `${formatKey(key)}\n`, { mode: 0o600, flush: true });
  } catch (cause) {
    throw new WfctlError("KEY_REQUIRED", `Cannot write the new key file "${draft}"`, { cause });
  }
  return {
    key,
    where: stack.path,
    keep: () => renameSync(draft, stack.path),
    discard: () => rmSync(draft, { force: true }),
  };
}
