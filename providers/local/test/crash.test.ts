import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  isAlive,
  listAll,
  options,
  processesBelow,
  refOf,
  specOf,
  startLocal,
  until,
  type Config,
} from "./testdata/host.ts";

/** Names of files and folders below, as far as they can be read while others write. */
function namesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true }).map(String);
  } catch {
    return [];
  }
}

const countBelow = (folder: string): number => namesBelow(folder).length;

const files = Object.fromEntries(
  Array.from({ length: 300 }, (_, index) => [`f${String(index).padStart(3, "0")}`, { content: `${index}` }]),
);
const server = join(import.meta.dirname, "testdata/server.mjs");

const cases: readonly [string, string, Config, (root: string) => boolean][] = [
  ["storage", "nothing but the index", { files }, (root) => countBelow(join(root, "storage")) >= 1],
  ["storage", "the marked directory", { files }, (root) => countBelow(join(root, "storage")) >= 4],
  ["storage", "some files", { files }, (root) => countBelow(join(root, "storage")) >= 30],
  ["storage", "most files", { files }, (root) => countBelow(join(root, "storage")) >= 250],
  [
    "storage",
    "the folders of a path of its own",
    { path: "/PLACE/a/b/c", files },
    (root) => countBelow(join(root, "..", "a")) >= 1,
  ],
  [
    "container_service",
    "its folder",
    { command: [process.execPath, server] },
    (root) => countBelow(join(root, "services")) >= 1,
  ],
  [
    "container_service",
    "its file",
    { command: [process.execPath, server] },
    (root) => countBelow(join(root, "services")) >= 2,
  ],
  [
    "container_service",
    "its supervisor",
    { command: [process.execPath, server], health_check: { http_path: "/" } },
    (root) => namesBelow(root).some((name) => name.endsWith("control.sock")),
  ],
];

describe("kill -9 of the plugin in the middle of a create", () => {
  test.each(cases)("infra.%s, when there is %s", async (kind, _when, given, isTime) => {
    const type = `infra.${kind}`;
    const { provider, root, folder, again } = await startLocal();
    const meta = { ...options, owner: "lineage/x", clientToken: "token-1" };
    const config = JSON.parse(JSON.stringify(given).replace("/PLACE", folder)) as Config;
    const call = provider.create(specOf(type)("x", config), meta);
    call.catch(() => {});
    // Looks without a pause: the moment is short.
    while (!(existsSync(root) && isTime(root))) await new Promise(setImmediate);
    process.kill(provider.process.pid, "SIGKILL");
    await until(() => !isAlive(provider.process.pid));

    const next = await again();
    const found = await next.lookup(type, "token-1", "x", options);
    if (found === undefined) expect(listAll(folder)).toEqual([]);
    else expect(found.owner).toBe("lineage/x");
    const made = await next.create(specOf(type)("x", config), meta);
    if (found !== undefined) expect(made.providerId).toBe(found.providerId);
    const read = await next.read(refOf(type)("x", made.providerId), options);
    expect((await next.diff(specOf(type)("x", config), read!, options)).changes).toEqual([]);
    if (kind === "container_service") {
      // A supervisor that the killed plugin had just started sees that it is not the first, and ends.
      await until(() => processesBelow(join(root, "services", made.providerId)).length === 2);
    }
    await next.delete(refOf(type)("x", made.providerId), meta);
    expect(listAll(folder)).toEqual([]);
    await until(() => processesBelow(folder).every((pid) => pid === next.process.pid));
  });

  test("what a killed create had only prepared is removed when it is looked for", async () => {
    const { provider, root } = await startLocal();
    for (const type of ["infra.storage", "infra.container_service"]) {
      expect(await provider.lookup(type, "token-1", "x", options)).toBeUndefined();
    }
    expect(listAll(root)).toEqual([]);
  });
});

describe("kill -9 of the plugin in the middle of a delete", () => {
  test.each<[string, Config, (root: string) => boolean]>([
    ["storage", { files }, (root) => countBelow(join(root, "storage")) < 250],
    [
      "container_service",
      { command: [process.execPath, server], env_vars: { FAIL: "stubborn" }, termination: { grace_period_seconds: 1 } },
      (root) => processesBelow(root).length > 0,
    ],
  ])("infra.%s: the next delete finishes it", async (kind, config, isTime) => {
    const type = `infra.${kind}`;
    const { provider, root, folder, again } = await startLocal();
    const made = await provider.create(specOf(type)("x", config), { ...options, owner: "lineage/x", clientToken: "t" });
    const call = provider.delete(refOf(type)("x", made.providerId), options);
    call.catch(() => {});
    while (!isTime(root)) await new Promise(setImmediate);
    process.kill(provider.process.pid, "SIGKILL");
    await until(() => !isAlive(provider.process.pid));
    const next = await again();
    await next.delete(refOf(type)("x", made.providerId), options);
    expect(listAll(root)).toEqual([]);
    expect(await next.read(refOf(type)("x", made.providerId), options)).toBeUndefined();
    await until(() => processesBelow(folder).every((pid) => pid === next.process.pid));
  });
});
