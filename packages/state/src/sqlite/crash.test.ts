import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { thisHolder } from "../lease/holder.ts";
import { formatKey } from "../sealing/key.ts";
import { crashState } from "../testing/crash-commits.ts";
import { createTemporaryStack, type TemporaryStack } from "../testing/temporary-stack.ts";
import { doctor } from "./doctor.ts";
import { openSqliteStore } from "./store.ts";

const program = fileURLToPath(new URL("../testing/crash-writer.ts", import.meta.url));

/** Runs the writer until it has acknowledged `acknowledged` commits, then kills it. Returns the last acknowledged. */
async function writeAndKill(stack: TemporaryStack, acknowledged: number): Promise<number> {
  const child = spawn(process.execPath, [program, stack.path, formatKey(stack.key)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  let last = 0;
  let count = 0;
  for await (const line of createInterface(child.stdout)) {
    last = Math.max(last, Number(line));
    count += 1;
    if (count === acknowledged) child.kill("SIGKILL");
  }
  const [, signal] = (await exited) as [number | null, string | null];
  expect(signal).toBe("SIGKILL");
  return last;
}

test("a writer that is killed again and again loses nothing acknowledged and leaves nothing half", async () => {
  await using stack = createTemporaryStack();
  const reader = await stack.open({ readOnly: true });
  for (const acknowledged of [1, 7, 23, 40, 3, 61, 118, 9, 200, 350]) {
    const last = await writeAndKill(stack, acknowledged);
    const state = await reader.load();
    expect(state.serial).toBeGreaterThanOrEqual(last);
    expect(state).toEqual(crashState(stack.lineage, state.serial));
    expect(doctor(stack.path).filter(({ severity }) => severity === "error")).toEqual([]);
  }
  const next = await stack.open();
  const lease = await next.acquire(thisHolder("wfctl apply"));
  expect(lease.fence).toBe(11);
});

test("whatever the disk kept of the log, what opens is the state after some whole commit", async () => {
  await using stack = createTemporaryStack();
  const last = await writeAndKill(stack, 120);
  const log = `${stack.path}-wal`;
  const size = statSync(log).size;
  const serials = new Set<number>();
  for (let part = 0; part <= 40; part += 1) {
    const copy = join(stack.directory, `cut-${part}.db`);
    copyFileSync(stack.path, copy);
    copyFileSync(log, `${copy}-wal`);
    truncateSync(`${copy}-wal`, Math.floor((size * part) / 40));
    const store = await openSqliteStore({ path: copy, key: stack.key, readOnly: true });
    const state = await store.load();
    expect(state).toEqual(crashState(stack.lineage, state.serial));
    serials.add(state.serial);
  }
  expect(serials.size).toBeGreaterThan(10);
  expect(Math.max(...serials)).toBeGreaterThanOrEqual(last);
});

test("a log with a garbled page ends before it", async () => {
  await using stack = createTemporaryStack();
  await writeAndKill(stack, 60);
  const bytes = readFileSync(`${stack.path}-wal`);
  for (let part = 1; part < 20; part += 1) {
    const copy = join(stack.directory, `garbled-${part}.db`);
    copyFileSync(stack.path, copy);
    const garbled = Buffer.from(bytes);
    garbled.fill(0xa5, Math.floor((bytes.length * part) / 20), Math.floor((bytes.length * part) / 20) + 64);
    writeFileSync(`${copy}-wal`, garbled);
    const state = await (await openSqliteStore({ path: copy, key: stack.key, readOnly: true })).load();
    expect(state).toEqual(crashState(stack.lineage, state.serial));
  }
});

/** Commits of the writer that may be in the file before it has said so. */
const inFlight = 4;

/** Bytes before the page of a frame of the log, and those of the log's own header. */
const [frameHeader, logHeader, pageSize] = [24, 32, 4096];

test("a log that is cut at any byte of its last frames, or has one of them flipped, ends at a whole commit", async () => {
  await using stack = createTemporaryStack();
  const last = await writeAndKill(stack, 25);
  const bytes = readFileSync(`${stack.path}-wal`);
  const frame = frameHeader + pageSize;
  const end = logHeader + Math.floor((bytes.length - logHeader) / frame) * frame;
  const copy = join(stack.directory, "torn.db");
  copyFileSync(stack.path, copy);
  const serialOf = async (log: Uint8Array): Promise<number> => {
    rmSync(`${copy}-shm`, { force: true });
    writeFileSync(`${copy}-wal`, log);
    const store = await openSqliteStore({ path: copy, key: stack.key, readOnly: true });
    const state = await store.load();
    expect(state).toEqual(crashState(stack.lineage, state.serial));
    return state.serial;
  };
  // The header of each of the last frames byte by byte, its page in strides that hit every part of it.
  const offsets = [2, 1].flatMap((back) => {
    const start = end - back * frame;
    return Array.from({ length: frame }, (_, at) => at).flatMap((at) =>
      at < frameHeader + 8 || at > frame - 8 || at % 389 === 0 ? [start + at] : [],
    );
  });
  expect(offsets.length).toBeGreaterThan(80);
  for (const offset of offsets) {
    expect(await serialOf(bytes.subarray(0, offset))).toBeLessThanOrEqual(last + inFlight);
    const flipped = Buffer.from(bytes);
    flipped[offset] = flipped[offset]! ^ 0x10;
    expect(await serialOf(flipped)).toBeLessThanOrEqual(last + inFlight);
  }
  // What was acknowledged is only lost with the bytes that hold it.
  expect(await serialOf(bytes)).toBeGreaterThanOrEqual(last);
});

test("making a stack leaves a whole file or none", async () => {
  await using stack = createTemporaryStack();
  const script = `
    import { createStack, generateKey, createLineage } from ${JSON.stringify(fileURLToPath(new URL("../index.ts", import.meta.url)))};
    process.stdout.write("ready\\n");
    for (let count = 0; ; count += 1) {
      createStack({ path: process.argv[1] + count, key: generateKey(), lineage: createLineage(), name: "n", environment: "e" });
    }`;
  for (let round = 0; round < 4; round += 1) {
    const prefix = join(stack.directory, `round-${round}-`);
    const child = spawn(process.execPath, ["--input-type=module", "-e", script, prefix], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    await expect.poll(() => existsSync(`${prefix}${3 + round}`), { interval: 1 }).toBe(true);
    child.kill("SIGKILL");
    await once(child, "exit");
    for (let count = 0; existsSync(prefix + count); count += 1) {
      const state = await (await openSqliteStore({ path: prefix + count, readOnly: true })).load();
      expect(state.serial).toBe(0);
    }
  }
});
