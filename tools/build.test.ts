import { execFile } from "node:child_process";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  realpath,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { launcher } from "./copy-launcher.ts";

const build = fileURLToPath(new URL("build.mjs", import.meta.url));
const run = promisify(execFile);

let root = "";
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "wfctl-build-")));
  await put({
    "apps/cli/package.json": JSON.stringify({
      type: "module",
      dependencies: { "@wfctl/state": "0.1.0" },
      wfctl: { entries: { supervisor: "src/supervise/main.ts" } },
    }),
    "apps/cli/src/main.ts": `
      import { ask } from "@wfctl/state";
      import type { Absent } from "@wfctl/absent";
      import manifest from "../package.json" with { type: "json" };
      async function main(): Promise<void> {
        const { late } = await import("./late.ts");
        console.log(JSON.stringify([late satisfies Absent, await ask("main"), manifest.type]));
      }
      void main();`,
    "apps/cli/src/late.ts": `import { word } from "npm-word";\nexport const late = word;`,
    "apps/cli/src/supervise/main.ts": `console.log("supervising");`,
    "packages/state/package.json": JSON.stringify({
      type: "module",
      exports: "./src/index.ts",
      wfctl: { workers: { heartbeat: "src/lease/beat.ts" } },
    }),
    "packages/state/src/lease/beat.ts": `console.log("beating");`,
    "packages/state/src/index.ts": `export { ask } from "./sqlite/ask.ts";`,
    "packages/state/src/sqlite/ask.ts": `
      import { Worker } from "node:worker_threads";
      import { once } from "node:events";
      const file = import.meta.url.endsWith(".js") ? "./worker.js" : "./worker.ts";
      export async function ask(from: string): Promise<unknown> {
        const worker = new Worker(new URL(file, import.meta.url), { workerData: from });
        return (await once(worker, "message"))[0];
      }`,
    "packages/state/src/sqlite/worker.ts": `
      import { parentPort, workerData } from "node:worker_threads";
      parentPort?.postMessage("answer to " + workerData);`,
    "package-lock.json": "{}",
    "node_modules/npm-word/package.json": JSON.stringify({ name: "npm-word", main: "index.cjs" }),
    "node_modules/npm-word/index.cjs": `const { sep } = require("path");\nexports.word = "late" + sep;`,
  });
  await mkdir(join(root, "node_modules/@wfctl"));
  await symlink("../../packages/state", join(root, "node_modules/@wfctl/state"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function put(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

/** Runs a bundle where nothing of the repository but the bundle is left. */
async function runBundle(name: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  for (const gone of ["node_modules", "packages", "apps/cli/src"])
    await rm(join(root, gone), { recursive: true, force: true });
  const bundle = join(root, "apps/cli/dist", name);
  const { stdout } = await run(process.execPath, [bundle], { env: { HOME: root, ...env }, timeout: 120_000 });
  return stdout.trim();
}

test("bundles the workspace, npm packages, late chunks and workers so that nothing else is needed", async () => {
  await run(process.execPath, [build, "--root", root]);
  expect(await runBundle("main.js")).toBe(`["late/","answer to main","module"]`);
});

test("bundles the further entries of the program and the workers of its packages", async () => {
  await run(process.execPath, [build, "--root", root]);
  expect(await runBundle("supervisor.js")).toBe("supervising");
  expect(await runBundle("heartbeat.js")).toBe("beating");
});

test("fills the compile cache under XDG_CACHE_HOME, else under the home folder", async () => {
  await run(process.execPath, [build, "--root", root]);
  await runBundle("main.js", { XDG_CACHE_HOME: join(root, "xdg") });
  expect(await readdir(join(root, "xdg/wfctl/node"))).not.toEqual([]);
  await runBundle("main.js");
  expect(await readdir(join(root, ".cache/wfctl/node"))).not.toEqual([]);
});

test("lists what the bundle was made of, for the launcher", async () => {
  await run(process.execPath, [build, "--root", root]);
  const [, list = ""] =
    /^wfctl_sources='(.*)'\n$/.exec(await readFile(join(root, "apps/cli/dist/sources"), "utf8")) ?? [];
  expect(list.split(" ")).toEqual([
    "apps/cli/package.json",
    "apps/cli/src",
    "apps/cli/src/late.ts",
    "apps/cli/src/main.ts",
    "apps/cli/src/supervise",
    "apps/cli/src/supervise/main.ts",
    "package-lock.json",
    "packages/state/src",
    "packages/state/src/index.ts",
    "packages/state/src/lease",
    "packages/state/src/lease/beat.ts",
    "packages/state/src/sqlite",
    "packages/state/src/sqlite/ask.ts",
    "packages/state/src/sqlite/worker.ts",
  ]);
});

test("is started by the launcher until one of its sources changes", async () => {
  await put({
    "apps/cli/src/main.ts": `import manifest from "../package.json" with { type: "json" };\nconsole.log(manifest.type, import.meta.url);`,
  });
  await mkdir(join(root, "apps/cli/bin"));
  await copyFile(launcher, join(root, "apps/cli/bin/wfctl"));
  await chmod(join(root, "apps/cli/bin/wfctl"), 0o755);
  const startedFile = async () => {
    const env = { HOME: root, PATH: "/usr/bin:/bin", WFCTL_NODE: process.execPath };
    return basename((await run(join(root, "apps/cli/bin/wfctl"), [], { env })).stdout.trim());
  };
  await run(process.execPath, [build, "--root", root]);
  expect(await startedFile()).toBe("main.program.js");
  const soon = Date.now() / 1000 + 60;
  await utimes(join(root, "apps/cli/src/main.ts"), soon, soon);
  expect(await startedFile()).toBe("main.ts");
});

test("loads what one name of a package needs and not the whole package, from one file", async () => {
  await put({
    "packages/state/src/index.ts": `export { small } from "./small.ts";\nexport { large } from "./large.ts";`,
    "packages/state/src/small.ts": `export const small = "small";`,
    "packages/state/src/large.ts": `console.log("large is loaded");\nexport const large = "large";`,
    "apps/cli/src/main.ts": `
      import { small } from "@wfctl/state";
      if (process.argv.length < 5) console.log(small);
      else void import("./late.ts").then(({ late }) => console.log(late));`,
    "apps/cli/src/late.ts": `import { large, small } from "@wfctl/state";\nexport const late = large + small;`,
  });
  await run(process.execPath, [build, "--root", root]);
  const start = await readFile(join(root, "apps/cli/dist/main.program.js"), "utf8");
  expect([...start.matchAll(/require\("(.+?)"\)/g)].map(([, file]) => file)).toEqual([
    expect.stringMatching(/^\.\/main\.program\.start-/),
    expect.stringMatching(/^\.\/late-/),
  ]);
  expect(await runBundle("main.js")).toBe("small");
});

test("loads modules of Node that are seldom used with their first use, in whatever way they are imported", async () => {
  await put({
    "apps/cli/src/main.ts": `
      import { spawn, ChildProcess } from "node:child_process";
      import * as files from "node:fs/promises";
      import https, { Agent } from "node:https";
      const isLoaded = () => process.moduleLoadList.includes("NativeModule child_process");
      const seen = [isLoaded(), typeof spawn, isLoaded(), new ChildProcess() instanceof ChildProcess];
      console.log(seen.join(), typeof files.readFile, files.default === undefined, https.Agent === Agent, "\u2713");`,
  });
  await run(process.execPath, [build, "--root", root]);
  expect(await runBundle("main.js")).toBe("false,function,true,true function false true \u2713");
  const files = await readdir(join(root, "apps/cli/dist"));
  for (const file of files) expect(await readFile(join(root, "apps/cli/dist", file), "utf8")).toMatch(/^[\0-\x7f]*$/);
});

test("replaces an older bundle as a whole and leaves nothing beside it", async () => {
  await put({ "apps/cli/dist/left-over.js": "" });
  await run(process.execPath, [build, "--root", root]);
  expect(await readdir(join(root, "apps/cli/dist"))).not.toContain("left-over.js");
  expect((await readdir(join(root, "apps/cli"))).toSorted()).toEqual(["dist", "package.json", "src"]);
});

test("keeps the bundle as it was when a source cannot be bundled", async () => {
  await run(process.execPath, [build, "--root", root]);
  const before = await readFile(join(root, "apps/cli/dist/main.js"), "utf8");
  await put({ "apps/cli/src/late.ts": `export { late } from "./nowhere.ts";` });
  await expect(run(process.execPath, [build, "--root", root])).rejects.toThrow("nowhere.ts");
  expect(await readFile(join(root, "apps/cli/dist/main.js"), "utf8")).toBe(before);
});

test("refuses two workers of one name", async () => {
  await put({ "packages/state/src/lease/worker.ts": "" });
  await expect(run(process.execPath, [build, "--root", root])).rejects.toThrow(`Two workers are called "worker"`);
});

test("refuses a package that cannot be resolved", async () => {
  await put({ "apps/cli/src/late.ts": `export { late } from "not-installed";` });
  await expect(run(process.execPath, [build, "--root", root])).rejects.toThrow("not-installed");
});

test("passes over folders without a program and says nothing when told to be quiet", async () => {
  await put({ "providers/empty/package.json": "{}", "apps/web/readme.md": "" });
  expect((await run(process.execPath, [build, "--root", root, "--quiet"])).stdout).toBe("");
});
