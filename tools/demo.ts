/**
 * The tour: a small stack on this machine, from nothing to nothing, with a crash in the middle. `npm run demo`.
 * Works in a temporary folder, ends what it started, and exits 1 with a reason where something is not as it should be.
 */
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("..", import.meta.url));
const launcher = join(repository, "apps/cli/bin/wfctl");
const limitMs = 180_000;

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
}

interface Started {
  readonly ended: Promise<Ended>;
  readonly stdout: () => string;
  kill(): void;
}

const slowService = `  - name: slow
    type: infra.container_service
    config:
      run_command: sleep 3; exec node server.mjs
      working_dir: \${site.path}
      health_check: {http_path: /, period_seconds: 0.2, failure_threshold: 100}
      env_vars: {GREETING: "better late"}
`;

const folder = await mkdtemp(join(tmpdir(), "wfctl-demo-"));
const env: NodeJS.ProcessEnv = {
  ...process.env,
  XDG_STATE_HOME: join(folder, "machine"),
  XDG_CONFIG_HOME: join(folder, "keys"),
  XDG_CACHE_HOME: join(folder, "cache"),
};
// What is set for other purposes would change what is shown.
for (const name of ["CI", "WFCTL_KEY", "WFCTL_KEY_FILE", "WFCTL_PASSPHRASE", "WFCTL_PLUGIN_DIR", "WFCTL_DEBUG"])
  delete env[name];
const stackFile = join(folder, "infra.yaml");

try {
  await mkdir(env["XDG_STATE_HOME"] as string, { recursive: true });
  await cp(join(repository, "examples/local/infra.yaml"), stackFile);
  await tour();
  say("That was all. Nothing of it is left on this machine.");
} catch (error) {
  process.exitCode = 1;
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  // Nothing may outlive the demo, whatever went wrong.
  await start(["destroy", "-y"], { quiet: true }).ended;
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function tour(): Promise<void> {
  say("1. A stack of two resources: a folder with a program, and the service that runs it. The plan changes nothing.");
  await wfctl("plan");

  say("2. Apply runs exactly the plan that it shows.");
  await wfctl("apply", "-y");
  const url = await readUrl();
  await fetchText(url, "hello");

  say("3. Nothing has changed, so there is nothing to do.");
  expectText(await wfctl("plan"), "No changes.");

  say("4. One value changes: one update, field by field.");
  await edit((text) => text.replace("GREETING: hello", "GREETING: hello again"));
  expectText(await wfctl("apply", "-y"), "1 updated");
  await fetchText(url, "hello again");

  say("5. A second service takes three seconds to start. While it starts, wfctl is killed with SIGKILL.");
  await edit((text) => text.replace("outputs:", `${slowService}\noutputs:`));
  await killInTheMiddle();

  say("6. The journal says what was in flight. The next apply asks the provider what became of it, and goes on.");
  await wfctl("status");
  await wfctl("apply", "-y");
  const services = await listServices();
  if (services.length !== 2) throw new Error(`there are ${services.length} services, expected web and slow once each`);
  expectText(await wfctl("plan"), "No changes.");
  expectText(await wfctl("state", "doctor"), "The state is sound.");

  say("7. Destroy takes it all away, dependents first.");
  await wfctl("destroy", "-y");
  await expectNothingLeft(url);
}

async function killInTheMiddle(): Promise<void> {
  const apply = start(["apply", "-y", "--json"], { quiet: true });
  console.log("\n$ wfctl apply -y");
  await waitUntil("the apply creates the slow service", () =>
    apply
      .stdout()
      .split("\n")
      .some((line) => line.includes('"action-started"') && line.includes('"slow"')),
  );
  // The call is on its way to the provider: the service exists in a moment, and its answer is two seconds off.
  await waitUntil("the provider has begun", async () => (await listServices()).length === 2);
  apply.kill();
  const { signal } = await apply.ended;
  if (signal !== "SIGKILL") throw new Error("the apply ended before it could be killed");
  console.log("Killed while it created slow.");
}

/** Runs a command, shows it and what it prints, and expects it to succeed. */
async function wfctl(...args: readonly string[]): Promise<string> {
  console.log(`\n$ wfctl ${args.join(" ")}`);
  const { code, stdout } = await start(args, { quiet: false }).ended;
  if (code !== 0) throw new Error(`"wfctl ${args.join(" ")}" exited with ${code}`);
  return stdout;
}

function start(args: readonly string[], options: { readonly quiet: boolean }): Started {
  const child = spawn(launcher, args, {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", options.quiet ? "ignore" : "inherit"],
  });
  let stdout = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text: string) => {
    stdout += text;
    if (!options.quiet) process.stdout.write(text);
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout });
    });
  });
  return { ended, stdout: () => stdout, kill: () => child.kill("SIGKILL") };
}

async function readUrl(): Promise<string> {
  const { stdout } = await start(["outputs", "-f", "json"], { quiet: true }).ended;
  const { url } = JSON.parse(stdout) as { url?: string };
  if (url === undefined) throw new Error("the stack gives no url");
  return url;
}

async function fetchText(url: string, expected: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
  const text = (await response.text()).trim();
  console.log(`\n$ curl ${url}\n${text}`);
  if (text !== expected) throw new Error(`the service says "${text}", expected "${expected}"`);
}

async function edit(change: (text: string) => string): Promise<void> {
  const before = await readFile(stackFile, "utf8");
  const after = change(before);
  if (after === before) throw new Error("the stack file is not what the demo expects");
  await writeFile(stackFile, after);
}

/** The service must be unreachable, and the provider's folder must hold no service and no directory any more. */
async function expectNothingLeft(url: string): Promise<void> {
  const answers = await fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    () => true,
    () => false,
  );
  if (answers) throw new Error(`${url} still answers`);
  const files = (await readdir(join(folder, "machine"), { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  if (files.length > 0)
    throw new Error(`files are left: ${files.map((entry) => join(entry.parentPath, entry.name)).join(", ")}`);
  console.log(`\n$ curl ${url}\nconnection refused, and no file is left`);
}

async function listServices(): Promise<string[]> {
  return readdir(join(folder, "machine/wfctl/local/services")).catch(() => []);
}

function expectText(stdout: string, text: string): void {
  if (!stdout.includes(text)) throw new Error(`the command did not say "${text}"`);
}

async function waitUntil(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const until = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`waited in vain until ${what}`);
    await sleep(20);
  }
}

function say(text: string): void {
  console.log(`\n${"─".repeat(100)}\n${text}`);
}
