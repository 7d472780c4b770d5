import { linkSync, mkdirSync, readFileSync, statSync, unlinkSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { makeFolders, WfctlError } from "@wfctl/model";
import { syncDirectory, writeDurably } from "../durable-file.ts";
import { deriveKey, formatKey, generateKey, parseKey, type StackKey } from "./key.ts";

/** Variables that hold keys: to be removed from the environment of plugins. */
export const keyVariables = ["WFCTL_KEY", "WFCTL_KEY_FILE", "WFCTL_PASSPHRASE"] as const;

export interface ResolveKeyOptions {
  /** `WFCTL_KEY`, `WFCTL_KEY_FILE`, `WFCTL_PASSPHRASE`; `XDG_CONFIG_HOME` and `HOME` for the key file. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly lineage: string;
  /** The store is used by more than this machine. */
  readonly shared: boolean;
  /** A machine without a lasting home. */
  readonly ci: boolean;
  /** Make a key file where no key is found. Only for a stack that is not shared, outside CI. */
  readonly createIfMissing: boolean;
}

export interface ResolvedKey {
  readonly key: StackKey;
  readonly source: (typeof keyVariables)[number] | "file";
  /** Of the key file. */
  readonly path?: string;
  /** The file was made just now: to be announced, with the advice to back it up. */
  readonly created: boolean;
  /** The file can be read by others than its owner. */
  readonly exposed: boolean;
}

/**
 * Finds the key of a stack: the one variable that is set, else the key file of the lineage.
 * Undefined where there is none and none may be made: the state can be read then, with its secrets hidden.
 * Throws `KEY_REQUIRED` where a key should be made (`createIfMissing`) and must be given, `USAGE` when two are given.
 */
export async function resolveKey(options: ResolveKeyOptions): Promise<ResolvedKey | undefined> {
  const { env, lineage } = options;
  const given = keyVariables.filter((name) => (env[name] ?? "") !== "");
  if (given.length > 1) {
    throw new WfctlError("USAGE", `Choosing the key failed: ${given.join(" and ")} are set, one is needed`);
  }
  const [variable] = given;
  if (variable !== undefined) return { ...(await keyOfVariable(variable, env[variable]!, lineage)), created: false };
  const path = keyFilePath(env, lineage);
  const found = readKeyFile(path);
  if (found !== undefined) return { ...found, source: "file", path, created: false };
  if (!options.createIfMissing) return undefined;
  if (options.shared || options.ci) {
    const where = options.shared ? "a shared state" : "a run in CI";
    throw new WfctlError("KEY_REQUIRED", `Opening the state failed: ${where} needs a key, and none is given`, {
      hint: "Set WFCTL_KEY (openssl rand -base64 32), WFCTL_KEY_FILE or WFCTL_PASSPHRASE",
    });
  }
  return { ...createKeyFile(path), source: "file", path };
}

/** `$XDG_CONFIG_HOME/wfctl/keys/<lineage>.key`. */
export function keyFilePath(env: Readonly<Record<string, string | undefined>>, lineage: string): string {
  const config = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  return join(config, "wfctl", "keys", `${lineage}.key`);
}

async function keyOfVariable(
  variable: (typeof keyVariables)[number],
  value: string,
  lineage: string,
): Promise<Omit<ResolvedKey, "created">> {
  switch (variable) {
    case "WFCTL_KEY":
      return { key: parseKey(value, variable), source: variable, exposed: false };
    case "WFCTL_KEY_FILE": {
      const found = readKeyFile(value);
      if (found === undefined) {
        throw new WfctlError(
          "KEY_REQUIRED",
          `Opening the state failed: WFCTL_KEY_FILE names '${value}', which is missing`,
        );
      }
      return { ...found, source: variable, path: value };
    }
    case "WFCTL_PASSPHRASE":
      return { key: await deriveKey(value, lineage), source: variable, exposed: false };
  }
}

function readKeyFile(path: string): { key: StackKey; exposed: boolean } | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new WfctlError("KEY_REQUIRED", `Reading the key file '${path}' failed`, { cause: error });
  }
  return { key: parseKey(text, `'${path}'`), exposed: (statSync(path).mode & 0o077) !== 0 };
}

/** The file is durable before the key is used, and never half written; of two makers at once one wins. */
function createKeyFile(path: string): { key: StackKey; created: boolean; exposed: boolean } {
  const key = generateKey();
  const draft = `${path}.${process.pid}.new`;
  try {
    makeFolders(dirname(path), { mkdirSync, statSync }, 0o700);
    writeDurably(draft, `${formatKey(key)}\n`, 0o600);
    try {
      linkSync(draft, path);
    } finally {
      unlinkSync(draft);
    }
    syncDirectory(dirname(path));
  } catch (error) {
    const other = (error as NodeJS.ErrnoException).code === "EEXIST" ? readKeyFile(path) : undefined;
    if (other !== undefined) return { ...other, created: false };
    throw new WfctlError("KEY_REQUIRED", `Making the key file '${path}' failed`, { cause: error });
  }
  return { key, created: true, exposed: false };
}
