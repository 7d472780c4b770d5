/**
 * Is what would be published fit to be? Packs everything, installs the CLI and the local provider into an empty folder as
 * a user would, applies a small stack with them, and shows that plugins of an older lifecycle are refused with the command
 * that upgrades them. Exit 1 at the first thing that is not so.
 *
 *   node tools/release-check.ts
 */
import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";

const limitMs = 300_000;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** PATH as a user has it, and nothing of the npm that may run this. */
function userEnvironment(home: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|CI$|WFCTL_|NODE_OPTIONS$)/.test(name));
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return {
    ...Object.fromEntries(own),
    PATH: path.join(delimiter),
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_STATE_HOME: join(home, "state"),
    XDG_CACHE_HOME: join(home, "cache"),
  };
}

async function checkRelease(home: string, say: (text: string) => void): Promise<void> {
  const env = userEnvironment(home);
  const run = (cwd: string, command: string, ...args: string[]): Promise<Ended> =>
    new Promise((resolve) => {
      execFile(command, args, { cwd, env, timeout: limitMs, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
      );
    });

  const { packAll } = (await import("./pack.mjs" as string)) as { packAll(out: string): Promise<string[]> };
  const tarballs = await packAll(join(home, "packages"));
  const versions = new Set(tarballs.map((path) => /-(\d+\.\d+\.\d+)\.tgz$/.exec(path)?.[1]));
  expect(versions.size === 1, `the packages have one version, found ${[...versions].join(", ")}`);
  say(`packed ${tarballs.map((path) => basename(path)).join(", ")}`);

  const place = join(home, "place");
  await mkdir(place);
  const wanted = tarballs.filter((path) => /^wfctl-(\d|provider-local-)/.test(basename(path)));
  const npm = ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", ...wanted];
  expectEnd(await run(place, "npm", ...npm), 0, "npm installs the CLI and the local provider into an empty folder");
  const wfctl = join(place, "node_modules/.bin/wfctl");
  const [version] = versions;
  const said = await run(place, wfctl, "version");
  expect(said.stdout.startsWith(`wfctl ${version}\n`), `wfctl version says ${version}, found ${said.stdout.trim()}`);
  say(`installed ${(await readdir(join(place, "node_modules/@wfctl"))).join(", ")} beside wfctl ${version}`);

  await writeFile(join(place, "infra.yaml"), smokeStack(join(home, "things")));
  expectEnd(await run(place, wfctl, "apply", "-y"), 0, "apply of the smoke stack");
  const outputs = await run(place, wfctl, "outputs", "--json");
  const { greeting } = (JSON.parse(outputs.stdout) as { outputs: { greeting: string } }).outputs;
  const page = await readFile(join(greeting, "hello.txt"), "utf8");
  expect(page === "hello\n", `the smoke stack made ${greeting}/hello.txt, found ${JSON.stringify(page)}`);
  expectEnd(await run(place, wfctl, "plan", "--detailed-exitcode"), 0, "plan after apply finds nothing to do");
  say("applied the smoke stack, and a plan finds nothing more to do");

  expectEnd(await run(place, wfctl, "plugin", "new", "demo"), 0, "plugin new from the package");
  const tried = [
    "plugin",
    "conformance",
    "./node_modules/@wfctl/provider-local",
    "--only",
    "loads,handshake,capabilities",
  ];
  expectEnd(await run(place, wfctl, ...tried), 0, "plugin conformance from the package");
  say("made a plugin project, and tried the local provider");

  // The set after: a provider that needs a newer wfctl.
  const beside = join(place, "node_modules/@wfctl/provider-local");
  const manifest = await readFile(join(beside, "plugin.json"), "utf8");
  const compat = /^engine compatibility (\d+)\.(\d+)\.\d+$/m.exec(said.stdout);
  const newer = manifest.replace(/("minEngineVersion": ")[^"]+/, `$1${compat?.[1]}.${Number(compat?.[2]) + 1}.0`);
  expect(newer !== manifest, "plugin.json of the local provider declares the engine that it needs");
  await writeFile(join(beside, "plugin.json"), newer);
  const upgradeBoth = "npm install wfctl@latest @wfctl/provider-local@latest";
  await expectRefusal(run(place, wfctl, "plan"), "PLUGIN_ENGINE", upgradeBoth);
  say("refused a provider of a later set, naming the command that upgrades wfctl with it");

  // The set before: the same files, of a lifecycle that is no longer driven.
  const old = manifest.replace('"computePlanVersion": "v2"', '"computePlanVersion": "v1"');
  expect(old !== manifest, "plugin.json of the local provider declares its lifecycle");
  await writeFile(join(beside, "plugin.json"), old);
  await expectRefusal(run(place, wfctl, "plan"), "PLUGIN_VERSION", "npm install @wfctl/provider-local@latest");
  const installed = join(place, "data/plugins/local");
  await mkdir(join(place, "data/plugins"), { recursive: true });
  await cp(beside, installed, { recursive: true });
  await chmod(join(installed, "local"), 0o755);
  await expectRefusal(run(place, wfctl, "plan"), "PLUGIN_VERSION", "wfctl plugin upgrade local");
  const refused = await run(place, wfctl, "plugin", "install", "./data/plugins/local");
  expect(refused.code === 1 && refused.stderr.includes("PLUGIN_VERSION"), "an old plugin is not installed either");
  say("refused the plugins of the older lifecycle, naming the command that upgrades them");

  const provider = tarballs.find((path) => basename(path).startsWith("wfctl-provider-local-")) ?? "";
  expectEnd(await run(place, wfctl, "plugin", "upgrade", "local", provider), 0, "plugin upgrade from the new package");
  expectEnd(await run(place, wfctl, "plan", "--detailed-exitcode"), 0, "plan with the upgraded plugin");
  expectEnd(await run(place, wfctl, "destroy", "-y"), 0, "destroy of the smoke stack");
  say("upgraded the plugin, planned with it, and destroyed the smoke stack");
}

function smokeStack(folder: string): string {
  return `name: smoke
modules:
  - name: machine
    type: iac.provider
    config: { provider: local, root: "${folder}" }
  - name: pages
    type: infra.storage
    config: { files: { hello.txt: { content: "hello\\n" } } }
outputs: { greeting: "\${pages.path}" }
`;
}

async function expectRefusal(ending: Promise<Ended>, errorCode: string, command: string): Promise<void> {
  const { code, stderr } = await ending;
  expect(code === 1 && stderr.includes(errorCode), `a plugin is refused with ${errorCode}, found ${code}: ${stderr}`);
  expect(stderr.includes(`Run: ${command}`), `the refusal says "Run: ${command}", found ${stderr}`);
}

function expectEnd({ code, stdout, stderr }: Ended, expected: number, what: string): void {
  expect(code === expected, `${what} ends with ${expected}, found ${code}:\n${stdout}\n${stderr}`);
}

class Unfit extends Error {}

function expect(condition: boolean, what: string): void {
  if (!condition) throw new Unfit(`Expected that ${what}`);
}

const home = await realpath(await mkdtemp(join(tmpdir(), "wfctl-release-")));
try {
  await checkRelease(home, (text) => console.log(`release: ${text}`));
  console.log("release: fit to be published");
} catch (error) {
  if (!(error instanceof Unfit)) throw error;
  console.error(`release: ${error.message}`);
  process.exitCode = 1;
} finally {
  await rm(home, { recursive: true, force: true });
}
