import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDigitalOcean } from "@wfctl/emulator-digitalocean";
import { expect, onTestFinished, test } from "vitest";

const repository = join(import.meta.dirname, "../../..");
const token = "me";
const limitMs = 120_000;

/** The command line in a folder of its own with the example, aimed at the emulator by its environment alone. */
function open(url: string) {
  const folder = mkdtempSync(join(tmpdir(), "digitalocean-app-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  copyFileSync(join(repository, "examples/digitalocean-app/infra.yaml"), join(folder, "infra.yaml"));
  const foreign = /^(?:DIGITALOCEAN|DO_|SPACES|WFCTL_|CI$|FORCE_COLOR$|NODE_OPTIONS$|NODE_V8_COVERAGE$)/;
  const env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name))),
    XDG_CONFIG_HOME: join(folder, "config"),
    XDG_CACHE_HOME: join(folder, "cache"),
    WFCTL_PLUGIN_DIR: join(repository, "providers"),
    NODE_COMPILE_CACHE: join(repository, "node_modules/.cache/wfctl-node"),
    DIGITALOCEAN_API_URL: url,
    DIGITALOCEAN_TOKEN: token,
  };
  return async (...args: string[]): Promise<{ code: number | null; said: string }> => {
    const main = join(repository, "apps/cli/src/main.ts");
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args], {
      cwd: folder,
      env,
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    clearTimeout(timer);
    return { code, said };
  };
}

test(
  "the example digitalocean-app is applied whole, lets its app into its database, is quiet then, and goes whole",
  async () => {
    const emulator = await startDigitalOcean({ rate: 2000, tokens: [token] });
    onTestFinished(() => emulator.close());
    const wfctl = open(emulator.url);
    const applied = await wfctl("apply", "-y");
    expect(applied.code, applied.said).toBe(0);
    const account = emulator.account(token);
    const [app] = account.apps.all();
    const database = account.databases.all().find((each) => each.database["name"] === "shop-db");
    expect(database?.rules).toMatchObject([{ type: "app", value: app?.app["id"] }]);
    const planned = await wfctl("plan", "--refresh", "--detailed-exitcode");
    expect(planned.code, planned.said).toBe(0);
    const destroyed = await wfctl("destroy", "-y");
    expect(destroyed.code, destroyed.said).toBe(0);
    const { apps, databases, domains, tags, vpcs } = account;
    const own = vpcs.all().filter((each) => each["default"] !== true);
    expect([...apps.all(), ...databases.all(), ...domains.all(), ...tags.all(), ...own]).toEqual([]);
    expect(emulator.defects()).toEqual([]);
  },
  2 * limitMs,
);
