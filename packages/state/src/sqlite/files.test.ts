import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { createLineage } from "../identity.ts";
import { thisHolder } from "../lease/holder.ts";
import { formatKey, generateKey } from "../sealing/key.ts";
import { sampleHeader, sampleRecord, sampleRun } from "../testing/sample.ts";
import { createTemporaryStack, type TemporaryStack } from "../testing/temporary-stack.ts";
import { createStack } from "./create.ts";
import { doctor } from "./doctor.ts";
import { leaseShow, openSqliteStore, readStackInfo } from "./store.ts";

/** True once no thread of the process does anything any more: the signal is told to them one by one. */
function isStopped(pid: number | undefined): boolean {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return true;
  return readdirSync(tasks).every((task) => /\) [Tt] /.test(readFileSync(join(tasks, task, "stat"), "utf8")));
}

function hashAll(directory: string): Record<string, string> {
  const names = readdirSync(directory).toSorted();
  return Object.fromEntries(
    names.map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(directory, name)))
        .digest("hex"),
    ]),
  );
}

async function fill(stack: TemporaryStack, names: readonly string[]): Promise<void> {
  const store = await stack.open();
  const lease = await store.acquire(thisHolder("wfctl apply"));
  await Promise.all(sampleRun("r", names).map((events) => store.commit(lease, events)));
  await lease.release();
  await store.close();
}

async function readEverything(path: string): Promise<void> {
  const store = await openSqliteStore({ path, readOnly: true });
  await store.load();
  await store.runs();
  await store.run("r");
  leaseShow(path);
  readStackInfo(path);
  doctor(path);
  await store.close();
}

describe("reading", () => {
  test("changes no byte and makes no file where no writer is", async () => {
    await using stack = createTemporaryStack();
    await fill(stack, ["a", "b"]);
    const before = hashAll(stack.directory);
    expect(Object.keys(before)).toEqual(["state.db"]);
    await readEverything(stack.path);
    expect(hashAll(stack.directory)).toEqual(before);
  });

  test("works in a directory that may not be written", async () => {
    await using stack = createTemporaryStack();
    await fill(stack, ["a"]);
    chmodSync(stack.path, 0o400);
    chmodSync(stack.directory, 0o500);
    try {
      await readEverything(stack.path);
      expect(readdirSync(stack.directory)).toEqual(["state.db"]);
    } finally {
      chmodSync(stack.directory, 0o700);
    }
  });

  test("changes no byte of the database while a writer lives, nor after it was killed", async () => {
    await using stack = createTemporaryStack();
    const program = fileURLToPath(new URL("../testing/crash-writer.ts", import.meta.url));
    const child = spawn(process.execPath, [program, stack.path, formatKey(stack.key)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGSTOP");
    await expect.poll(() => isStopped(child.pid)).toBe(true);
    const living = hashAll(stack.directory);
    await readEverything(stack.path);
    expect(hashAll(stack.directory)["state.db"]).toBe(living["state.db"]);
    expect(hashAll(stack.directory)["state.db-wal"]).toBe(living["state.db-wal"]);
    child.kill("SIGKILL");
    await once(child, "exit");
    await readEverything(stack.path);
    expect(hashAll(stack.directory)["state.db"]).toBe(living["state.db"]);
    expect((await (await stack.open({ readOnly: true })).load()).serial).toBeGreaterThan(0);
  });

  test("a handle that takes no lease leaves the files as they are", async () => {
    await using stack = createTemporaryStack();
    await fill(stack, ["a"]);
    const before = hashAll(stack.directory);
    const store = await stack.open();
    await store.load();
    await store.close();
    expect(hashAll(stack.directory)).toEqual(before);
  });
});

describe("a file that is not what it should be", () => {
  const open = (path: string) => openSqliteStore({ path, key: generateKey() }).then((store) => store.load());

  test("a missing one is an error unless a new stack is asked for", async () => {
    await using stack = createTemporaryStack();
    const path = join(stack.directory, "sub", "other.db");
    await expect(open(path)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    const create = { name: "shop", environment: "dev", lineage: createLineage() };
    const store = await openSqliteStore({ path, key: stack.key, create });
    expect(store.info).toMatchObject({ ...create, serial: 0 });
    await store.close();
    const again = await openSqliteStore({ path, key: stack.key, create: { ...create, lineage: "another" } });
    expect(again.info.lineage).toBe(create.lineage);
    expect(again.sealer).toBeUndefined();
    await again.close();
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  test("a new stack is never made over another", async () => {
    await using stack = createTemporaryStack();
    const again = () => createStack({ path: stack.path, key: stack.key, lineage: "l", name: "n", environment: "e" });
    expect(again).toThrow(expect.objectContaining({ code: "STORE_UNAVAILABLE" }));
    expect(readStackInfo(stack.path)?.lineage).toBe(stack.lineage);
    expect(readdirSync(stack.directory)).toEqual(["state.db"]);
  });

  test("an empty one, and a log without its database, are refused and left alone", async () => {
    await using stack = createTemporaryStack();
    const create = { name: "shop", environment: "dev", lineage: createLineage() };
    const empty = join(stack.directory, "empty.db");
    writeFileSync(empty, "");
    await expect(openSqliteStore({ path: empty, key: stack.key, create })).rejects.toMatchObject({
      code: "STORE_CORRUPT",
    });
    expect(statSync(empty).size).toBe(0);

    const store = await stack.open();
    await store.acquire(thisHolder("wfctl apply"));
    renameSync(stack.path, `${stack.path}.away`);
    await expect(openSqliteStore({ path: stack.path, key: stack.key, create })).rejects.toMatchObject({
      code: "STORE_CORRUPT",
      message: expect.stringContaining("its log is there"),
    });
    renameSync(`${stack.path}.away`, stack.path);
  });

  test("text, a foreign database and a newer format are told apart", async () => {
    await using stack = createTemporaryStack();
    const text = join(stack.directory, "text.db");
    writeFileSync(text, "this is no database, just some text".repeat(100));
    await expect(open(text)).rejects.toMatchObject({ code: "STORE_CORRUPT" });

    const foreign = join(stack.directory, "foreign.db");
    const other = new DatabaseSync(foreign);
    other.exec("CREATE TABLE t (a)");
    other.close();
    await expect(open(foreign)).rejects.toMatchObject({ code: "STORE_CORRUPT" });

    const db = new DatabaseSync(stack.path);
    db.exec("PRAGMA user_version = 99");
    db.close();
    await expect(open(stack.path)).rejects.toMatchObject({ code: "STORE_VERSION" });
    const writer = stack.open();
    await expect(writer).rejects.toMatchObject({ code: "STORE_VERSION" });
  });

  test("a truncated one is corrupt, wherever it was cut", async () => {
    await using stack = createTemporaryStack();
    await fill(
      stack,
      Array.from({ length: 40 }, (_, index) => `n${index}`),
    );
    const whole = readFileSync(stack.path);
    for (let part = 1; part < 20; part += 1) {
      const copy = join(stack.directory, `cut-${part}.db`);
      writeFileSync(copy, whole);
      truncateSync(copy, Math.floor((whole.length * part) / 20));
      const read = openSqliteStore({ path: copy, key: stack.key }).then((store) => store.load());
      await expect(read).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    }
  });

  test("a flipped byte is reported, or in a place that does not matter", async () => {
    await using stack = createTemporaryStack();
    await fill(
      stack,
      Array.from({ length: 30 }, (_, index) => `n${index}`),
    );
    const expected = await (await stack.open({ readOnly: true })).load();
    const whole = readFileSync(stack.path);
    let found = 0;
    for (let at = 100; at < whole.length; at += 101) {
      const copy = join(stack.directory, "flipped.db");
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 0x04;
      writeFileSync(copy, bytes);
      const read = openSqliteStore({ path: copy, key: stack.key, readOnly: true }).then((store) => store.load());
      const result = await read.catch((error: unknown) => error);
      if (result instanceof Error) {
        found += 1;
        expect(result).toMatchObject({ code: expect.stringMatching(/^(STORE_CORRUPT|KEY_WRONG)$/) });
      } else {
        expect(result).toEqual(expected);
      }
    }
    expect(found).toBeGreaterThan(10);
  });

  test("a damaged record is named", async () => {
    await using stack = createTemporaryStack();
    await fill(stack, ["alpha", "beta"]);
    const at = readFileSync(stack.path).lastIndexOf('"providerId":"id-beta"');
    const file = openSync(stack.path, "r+");
    for (let from = readFileSync(stack.path).indexOf('"providerId":"id-beta"'); from >= 0 && from <= at;) {
      writeSync(file, "X", from + 16);
      from = readFileSync(stack.path).indexOf('"providerId":"id-beta"', from + 1);
    }
    closeSync(file);
    const load = (await stack.open({ readOnly: true })).load();
    await expect(load).rejects.toMatchObject({ code: "STORE_CORRUPT", message: expect.stringContaining("'beta'") });
  });
});

describe("writing", () => {
  test("what cannot be written is refused as a whole, and the handle stays refused", async () => {
    await using stack = createTemporaryStack();
    const store = await stack.open();
    const lease = await store.acquire(thisHolder("wfctl apply"));
    await store.commit(lease, [{ kind: "run-started", run: sampleHeader("r", []) }]);
    const other = new DatabaseSync(stack.path);
    other.exec("DROP TABLE records");
    other.close();
    const put = store.commit(lease, [{ kind: "record", run: "r", record: { put: sampleRecord("a") } }]);
    await expect(put).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    const later = store.commit(lease, [{ kind: "cleanup-started", run: "r" }]);
    await expect(later).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    expect((await store.run("r"))?.cleanupStarted).toBe(false);
  });

  test("a file that went away meanwhile is an error, not a new state", async () => {
    await using stack = createTemporaryStack();
    const store = await stack.open();
    rmSync(stack.path);
    await expect(store.acquire(thisHolder("wfctl apply"))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await expect(store.load()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await store.close();
    expect(readdirSync(stack.directory)).toEqual([]);
  });

  test("a handle for reading only takes no lease", async () => {
    await using stack = createTemporaryStack();
    const store = await stack.open({ readOnly: true });
    await expect(store.acquire(thisHolder("wfctl apply"))).rejects.toMatchObject({ code: "INTERNAL" });
  });

  test("the file stays flat over 1,000 runs, and compacting gives space back", async () => {
    await using stack = createTemporaryStack();
    const store = await stack.open();
    const lease = await store.acquire(thisHolder("wfctl apply"));
    const sizeAfter = async (from: number, to: number): Promise<number> => {
      const at = new Date().toISOString();
      for (let count = from; count < to; count += 100) {
        const commits = Array.from({ length: 100 }, (_, index) =>
          sampleRun(`r${count + index}`, ["a", "b"], at),
        ).flat();
        await Promise.all(commits.map((events) => store.commit(lease, events)));
      }
      await store.compact(lease);
      return statSync(stack.path).size;
    };
    const early = await sizeAfter(0, 100);
    const late = await sizeAfter(100, 1000);
    expect(late).toBeLessThan(early * 1.1);
    expect(await store.runs()).toHaveLength(50);
  });

  test("a store that is closed refuses, and closing twice is fine", async () => {
    await using stack = createTemporaryStack();
    const store = await stack.open();
    const lease = await store.acquire(thisHolder("wfctl apply"));
    const last = store.commit(lease, [{ kind: "run-started", run: sampleHeader("r", []) }]);
    await store.close();
    await store.close();
    await expect(last).resolves.toBe(0);
    await expect(store.commit(lease, [])).rejects.toMatchObject({ code: "LEASE_LOST" });
    await expect(store.acquire(thisHolder("wfctl apply"))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(readdirSync(stack.directory)).toEqual(["state.db"]);
  });
});
