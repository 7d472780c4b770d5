import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteBackend } from "@wfctl/state";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runInside } from "../../test/run-inside.ts";
import type { Context } from "../context.ts";
import type { StateLocation } from "./locate-state.ts";
import { findKey } from "./open-state.ts";
import { beginState, dropPendingState, keepKeyFile } from "./pending-state.ts";

let folder = "";
let context: Context;
let location: StateLocation;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wfctl-pending-"));
  await writeFile(join(folder, "infra.yaml"), "name: shop\nmodules: []\n");
  const path = join(folder, ".wfctl/state/shop.default.db");
  const backend = createSqliteBackend(path);
  location = { backend, shared: false, emergencyBase: path, foreignDirectories: [] };
  context = { cwd: folder, env: { XDG_CONFIG_HOME: join(folder, "config") } } as unknown as Context;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const list = (name: string): Promise<string[]> => readdir(join(folder, "config/wfctl", name)).catch(() => []);

test("a command that is killed between its key and its state leaves them for the next, which tells of the key", async () => {
  const { lineage, reused } = beginState(location, context);
  expect(reused).toBe(false);
  const { path } = (await findKey(lineage, context, location, true)) ?? {};
  // Killed here, twice.
  expect(beginState(location, context)).toEqual({ lineage, reused: true });
  const { code, stderr } = await runInside(folder, "apply", "-y");
  expect({ code, told: stderr.includes(`A new key seals the secrets of this state: ${path}.`) }).toEqual({
    code: 0,
    told: true,
  });
  expect(await list("keys")).toEqual([`${lineage}.key`]);
  expect(await list("pending")).toEqual([]);
  expect((await location.backend.readInfo())?.lineage).toBe(lineage);
  // A state that is removed is another one when it comes back.
  await rm(join(folder, ".wfctl"), { recursive: true });
  expect(beginState(location, context).lineage).not.toBe(lineage);
});

test("plans that are saved before there is a state share one key, and each of them can be the one that is applied", async () => {
  for (const name of ["first", "second"]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await runInside(folder, "plan", "-o", name)).toMatchObject({ code: 0 });
  }
  expect(await list("keys")).toHaveLength(1);
  expect(await runInside(folder, "apply", "-y", "--plan", "first")).toMatchObject({ code: 0 });
  expect(await list("keys")).toHaveLength(1);
  expect(await list("pending")).toEqual([]);
});

test("a note that says nothing is written anew, and none is written where the key is given", async () => {
  const { lineage } = beginState(location, context);
  const [note = ""] = await list("pending");
  await writeFile(join(folder, "config/wfctl/pending", note), "");
  const other = beginState(location, context);
  expect(other.reused).toBe(false);
  expect(other.lineage).not.toBe(lineage);
  await rm(join(folder, "config"), { recursive: true });
  expect(beginState(location, { ...context, env: { ...context.env, WFCTL_KEY: "k" } }).reused).toBe(false);
  expect(await list("pending")).toEqual([]);
});

test("a key is not removed that another command has made the state with, and comes back where it was", async () => {
  const { lineage } = beginState(location, context);
  const key = await findKey(lineage, context, location, true);
  if (key?.path === undefined) throw new Error("no key file");
  await dropPendingState(key, lineage, location, context);
  expect([await list("keys"), await list("pending")]).toEqual([[], []]);
  const create = { name: "shop", environment: "default", lineage };
  await (await location.backend.open({ key: key.key, create })).close();
  keepKeyFile(key);
  expect(existsSync(key.path)).toBe(true);
  await dropPendingState(key, lineage, location, context);
  expect(await list("keys")).toEqual([`${lineage}.key`]);
});
