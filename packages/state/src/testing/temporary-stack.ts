import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLineage } from "../identity.ts";
import { generateKey, type StackKey } from "../sealing/key.ts";
import { createStack } from "../sqlite/create.ts";
import { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from "../sqlite/store.ts";

/** A new stack in an SQLite file of a temporary directory, which goes when the value is disposed of. */
export interface TemporaryStack extends AsyncDisposable {
  readonly directory: string;
  readonly path: string;
  readonly key: StackKey;
  readonly lineage: string;
  /** Closed by the disposal. */
  open(options?: Partial<SqliteStoreOptions>): Promise<SqliteStore>;
}

export function createTemporaryStack(): TemporaryStack {
  const directory = mkdtempSync(join(tmpdir(), "wfctl-stack-"));
  const path = join(directory, "state.db");
  const [key, lineage] = [generateKey(), createLineage()];
  createStack({ path, key, lineage, name: "shop", environment: "dev" });
  const stores: SqliteStore[] = [];
  return {
    directory,
    path,
    key,
    lineage,
    async open(options = {}) {
      const store = await openSqliteStore({ path, key, ...options });
      stores.push(store);
      return store;
    },
    async [Symbol.asyncDispose]() {
      for (const store of stores) await store.close();
      rmSync(directory, { recursive: true });
    },
  };
}
