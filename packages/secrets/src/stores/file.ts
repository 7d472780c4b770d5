import { isUtf8 } from "node:buffer";
import { randomBytes } from "node:crypto";
import { mkdirSync, statSync } from "node:fs";
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "@wfctl/model";
import type { SecretStore } from "../secret-store.ts";
import { storeError } from "../store-error.ts";

/** One file per secret in a folder that only its owner may enter. A secret is there whole or not at all. */
export function createFileStore(directory: string): SecretStore {
  const label = `file "${directory}"`;
  const pathOf = (name: string): string => {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name)) {
      throw storeError(label, `use the name "${name}"`, "it is no file name", 'Use letters, digits, ".", "_" and "-"');
    }
    return join(directory, name);
  };
  const fail = (action: string, cause: unknown): never => {
    const code = (cause as NodeJS.ErrnoException).code ?? "unknown";
    throw storeError(label, action, code, "Check the folder and its permissions", cause);
  };
  return {
    label,
    readable: true,
    async get(name) {
      const path = pathOf(name);
      try {
        const bytes = await readFile(path);
        if (isUtf8(bytes)) return bytes.toString("utf8");
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        return code === "ENOENT" ? undefined : fail(`read "${name}"`, error);
      }
      const hint = "A secret is text: keep bytes as base64";
      throw storeError(label, `read "${name}"`, "it is no text in UTF-8", hint);
    },
    async set(name, value) {
      const path = pathOf(name);
      const staging = `${path}.${randomBytes(6).toString("hex")}.tmp`;
      try {
        makeFolders(directory, { mkdirSync, statSync }, 0o700);
        const file = await open(staging, "wx", 0o600);
        try {
          await file.writeFile(value);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(staging, path);
      } catch (error) {
        await rm(staging, { force: true }).catch(() => undefined);
        fail(`write "${name}"`, error);
      }
    },
    async delete(name) {
      await rm(pathOf(name), { force: true }).catch((error: unknown) => fail(`delete "${name}"`, error));
    },
  };
}
