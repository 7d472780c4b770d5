import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSandbox } from "./lib/sandbox.ts";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../../", import.meta.url));
const modules = join(repository, "node_modules");
const wfctl = ["--disable-warning=ExperimentalWarning", join(repository, "apps/cli/src/main.ts")];
const limitMs = 120_000;

let home = "";
let project = "";

/** Commands of the project run on the Node that npm would have brought. */
const env = (): NodeJS.ProcessEnv => {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|NODE_OPTIONS|NODE_V8|VITEST|CI$)/.test(name),
  );
  const path = [join(modules, ".bin"), process.env["PATH"]].join(delimiter);
  return { ...Object.fromEntries(inherited), PATH: path, npm_config_cache: join(home, "npm-cache") };
};

const npm = (...args: string[]) => run("npm", args, { cwd: project, env: env(), timeout: limitMs });

/** What `npm install` would bring, without a network: the packages of this repository as they are published, others as links. */
async function installDependencies(): Promise<void> {
  const { layOutLibrary } = (await import("../../tools/pack-library.mjs" as string)) as {
    layOutLibrary: (name: string, folder: string) => Promise<void>;
  };
  const { devDependencies } = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as {
    devDependencies: Record<string, string>;
  };
  const target = (name: string): string => join(project, "node_modules", name);
  const link = (name: string): void => {
    if (existsSync(target(name))) return;
    mkdirSync(dirname(target(name)), { recursive: true });
    symlinkSync(realpathSync(join(modules, name)), target(name));
  };
  for (const name of Object.keys(devDependencies)) {
    if (!name.startsWith("@wfctl/")) {
      link(name);
      continue;
    }
    mkdirSync(target(name), { recursive: true });
    await layOutLibrary(name.slice("@wfctl/".length), target(name));
    const { dependencies } = JSON.parse(readFileSync(join(target(name), "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    for (const each of Object.keys(dependencies)) link(each);
  }
  cpSync(join(modules, ".bin"), join(project, "node_modules/.bin"), { recursive: true, verbatimSymlinks: false });
}

beforeAll(async () => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "wfctl-new-")));
  project = join(home, "acme");
  await run(process.execPath, [...wfctl, "plugin", "new", "acme"], { cwd: home });
  await installDependencies();
}, limitMs);
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe("the project of a new plugin", () => {
  test("uses the packages of this release, each in the version that is used here", () => {
    const own = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as Record<
      string,
      Record<string, string>
    >;
    const root = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as Record<
      string,
      Record<string, string>
    >;
    const { version } = JSON.parse(readFileSync(join(repository, "apps/cli/package.json"), "utf8")) as {
      version: string;
    };
    expect(own["optionalDependencies"]).toEqual(root["optionalDependencies"]);
    for (const [name, found] of Object.entries(own["devDependencies"] ?? {})) {
      expect(found, name).toBe(name.startsWith("@wfctl/") ? version : root["devDependencies"]?.[name]);
    }
  });

  test("holds nothing of the template's name", () => {
    const files = ["package.json", "plugin.json", "README.md", "src/provider.ts", "conformance.json"];
    for (const file of files) expect(readFileSync(join(project, file), "utf8"), file).not.toMatch(/\bexample\b/i);
  });

  test(
    "passes its own types, tests and conformance as it was made",
    async () => {
      const { stdout } = await npm("test");
      expect(stdout).toMatch(/pass 5/);
      expect(stdout).toMatch(/fail 0/);
    },
    limitMs,
  );

  test(
    "fails its tests when its manifest is no longer true",
    async () => {
      const file = join(project, "src/provider.ts");
      const text = readFileSync(file, "utf8");
      writeFileSync(file, text.replace('description: "', 'description: "Other '));
      const failed = await run("node", ["--test", "test/provider.test.ts"], { cwd: project, env: env() }).catch(
        (error: unknown) => error as { stdout: string },
      );
      writeFileSync(file, text);
      expect(failed.stdout).toContain("run: npm run manifest");
    },
    limitMs,
  );

  test(
    "is packed, installed and applied",
    async () => {
      await npm("pack");
      const sandbox = createSandbox();
      const archive = join(project, "workflow-plugin-acme-0.1.0.tgz");
      const own = { WFCTL_PLUGIN_DIR: undefined };
      expect(await sandbox.runWith(own, "plugin", "install", archive)).toMatchObject({ code: 0 });
      expect(existsSync(sandbox.path("data/plugins/acme/dist/main.js"))).toBe(true);
      expect(existsSync(sandbox.path("data/plugins/acme/src"))).toBe(false);
      const stack = `name: demo
modules:
  - {name: notes, type: iac.provider, config: {provider: acme, root: "${sandbox.path("notes")}"}}
  - {name: hello, type: infra.note, config: {provider: notes, text: Hello}}
`;
      writeFileSync(sandbox.path("infra.yaml"), stack);
      expect((await sandbox.runWith(own, "apply", "-y")).stdout).toContain("1 created");
      writeFileSync(sandbox.path("infra.yaml"), stack.replace("Hello}", "Goodbye}"));
      expect((await sandbox.runWith(own, "plan")).stdout).toContain("Plan: 1 to update");
      expect(await sandbox.runWith(own, "destroy", "-y")).toMatchObject({ code: 0 });
    },
    limitMs,
  );

  test("is not made over what is there, nor under a name that no provider has", async () => {
    const again = await run(process.execPath, [...wfctl, "plugin", "new", "acme"], { cwd: home }).catch(
      (error: unknown) => error as { code: number; stderr: string },
    );
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toContain("is there already and not empty");
    const odd = await run(process.execPath, [...wfctl, "plugin", "new", "Acme!"], { cwd: home }).catch(
      (error: unknown) => error as { code: number },
    );
    expect(odd).toMatchObject({ code: 1 });
    expect(existsSync(join(home, "Acme!"))).toBe(false);
  });
});
