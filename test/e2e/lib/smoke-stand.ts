import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startDigitalOcean, type DigitalOceanEmulator } from "@wfctl/emulator-digitalocean";
import { startMoto } from "../../../providers/aws/test/testing/moto.ts";
import { startProxy, type Proxy } from "../../../providers/aws/test/testing/proxy.ts";
import { findCliProgram } from "./cli-program.ts";

const repository = fileURLToPath(new URL("../../../", import.meta.url));
const main = findCliProgram();
const plugins = ["aws", "digitalocean", "local"] as const;
const commandLimitMs = 200_000;
const accessKeyId = "AKIASMOKESMOKESMOKES";
const secret = "secret+of/the+smoke";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The three providers as a user installs them, in front of clouds that stand on this machine. */
export interface SmokeStand {
  readonly digitalocean: DigitalOceanEmulator;
  /** Another stack: a folder of its own, and accounts of its own. */
  stack(resources: string): Promise<SmokeStack>;
  close(): Promise<void>;
}

export interface SmokeStack {
  readonly folder: string;
  /** Folder of what the local provider makes. */
  readonly root: string;
  /** Token, which is the account's name, at the DigitalOcean emulator. */
  readonly token: string;
  readonly aws: Proxy;
  /** What is in the AWS account beside what every account has. */
  awsObjects(): Promise<string[]>;
  /** Writes the stack file anew. */
  write(resources: string): void;
  wfctl(...args: string[]): Promise<Ended>;
}

/** Packs the three plugins, installs each with the CLI, and starts the clouds. */
export async function startSmokeStand(): Promise<SmokeStand> {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "wfctl-smoke-")));
  const pluginDir = join(home, "data/plugins");
  const env = environment(home, pluginDir);
  const closing: (() => unknown)[] = [() => rmSync(home, { recursive: true, force: true, maxRetries: 5 })];
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0).toReversed()) await end();
  };
  try {
    for (const tarball of await packPlugins(join(home, "packages"))) {
      const installed = await run(home, env, ["plugin", "install", tarball]);
      if (installed.code !== 0) throw new Error(`Cannot install ${basename(tarball)}: ${installed.stderr}`);
    }
    const digitalocean = await startDigitalOcean({ rate: 2000 });
    closing.push(() => digitalocean.close());
    const target = await startMoto();
    let stacks = 0;
    return {
      digitalocean,
      async stack(resources) {
        const token = `smoke-${(stacks += 1)}`;
        const folder = join(home, "stacks", token);
        const root = join(folder, "machine");
        // Runs of the tests share moto: each stack has an account of its own.
        const accountId = String(randomInt(100_000_000_000, 200_000_000_000));
        const aws = await startProxy({ target, accountId, secrets: new Map([[accessKeyId, secret]]) });
        closing.push(() => aws.close());
        mkdirSync(folder, { recursive: true });
        const write = (text: string): void =>
          writeFileSync(join(folder, "infra.yaml"), stackText({ root, token, aws, digitalocean }, text));
        write(resources);
        return {
          folder,
          root,
          token,
          aws,
          awsObjects: () => listAws(target, accountId),
          write,
          wfctl: (...args) => run(folder, env, args),
        };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Names of what the local provider has made for a stack and not taken away. */
export function localObjects({ root }: SmokeStack): string[] {
  try {
    return readdirSync(join(root, "storage"));
  } catch {
    return [];
  }
}

/** Asks moto itself: what the provider makes of it is not asked. */
async function listAws(target: string, accountId: string): Promise<string[]> {
  const ask = async (service: string, body?: string): Promise<string> => {
    const headers = {
      authorization: `AWS4-HMAC-SHA256 Credential=AKIASMOKE/20260101/us-east-1/${service}/aws4_request`,
      "x-moto-account-id": accountId,
      ...(body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
    };
    const response = await fetch(target, body === undefined ? { headers } : { method: "POST", headers, body });
    const text = await response.text();
    if (!response.ok) throw new Error(`moto answered ${response.status}: ${text}`);
    return text;
  };
  const found = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? "");
  const version = "Version=2016-11-15";
  const own = `${version}&Action=DescribeVpcs&Filter.1.Name=isDefault&Filter.1.Value.1=false`;
  const vpcs = found(await ask("ec2", own), /<vpcId>([^<]+)</g);
  const groups = found(await ask("ec2", `${version}&Action=DescribeSecurityGroups`), /<groupName>([^<]+)</g);
  const buckets = found(await ask("s3"), /<Bucket>.*?<Name>([^<]+)</g);
  return [
    ...vpcs.map((id) => `VPC ${id}`),
    ...groups.filter((name) => name !== "default").map((name) => `security group ${name}`),
    ...buckets.map((name) => `bucket ${name}`),
  ];
}

async function packPlugins(out: string): Promise<string[]> {
  const { packAll } = (await import("../../../tools/pack.mjs" as string)) as {
    packAll(out: string, options: { only: readonly string[] }): Promise<string[]>;
  };
  return packAll(out, { only: plugins });
}

function stackText(
  { root, token, aws, digitalocean }: { root: string; token: string; aws: Proxy; digitalocean: DigitalOceanEmulator },
  resources: string,
): string {
  return `name: smoke
modules:
  - name: here
    type: iac.provider
    config: { provider: local, root: "${root}" }
  - name: amazon
    type: iac.provider
    config:
      provider: aws
      region: us-east-1
      access_key_id: ${accessKeyId}
      secret_access_key: "${secret}"
      endpoint: "${aws.url}"
      limit_rates: false
  - name: ocean
    type: iac.provider
    config: { provider: digitalocean, region: nyc3, token: ${token}, endpoint: "${digitalocean.url}" }
${resources}`;
}

/** As a user has it; nothing that could lead to a real account. */
function environment(home: string, pluginDir: string): NodeJS.ProcessEnv {
  const foreign = /^(AWS_|DIGITALOCEAN|DO_|SPACES|WFCTL_|CI$|FORCE_COLOR$|NODE_OPTIONS$|NODE_V8_COVERAGE$)/;
  const own = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return {
    ...Object.fromEntries(own),
    // A plugin's launcher takes the Node on PATH where none lies beside it.
    PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_CACHE_HOME: join(home, "cache"),
    WFCTL_PLUGIN_DIR: pluginDir,
    AWS_EC2_METADATA_DISABLED: "true",
    NODE_COMPILE_CACHE: join(repository, "node_modules/.cache/wfctl-node"),
  };
}

function run(cwd: string, env: NodeJS.ProcessEnv, args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const timer = setTimeout(() => child.kill("SIGKILL"), commandLimitMs);
  return new Promise((resolve) => {
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}
