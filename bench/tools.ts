import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildPlugin } from "./build-plugin.ts";
import { measure, type Measured } from "./measure.ts";
import { writeTerraformStack, writeWfctlStack, type Shape } from "./stacks.ts";

/** Work that every tool is measured with, in this order, on one directory. */
export const works = ["create", "plan", "plan-refresh", "change", "destroy"] as const;
export type Work = (typeof works)[number];

export interface Tool {
  readonly name: string;
  readonly version: string;
  /** What is run. */
  readonly program: string;
  /** Larger stacks would take this tool too long to be worth the wait. */
  readonly maxSize: number;
  prepare(directory: string, shape: Shape, size: number): Promise<void>;
  run(directory: string, work: Work, shape: Shape, size: number): Promise<Measured>;
}

export interface WfctlTool extends Tool {
  /** Any command, in a directory that was prepared. */
  call(directory: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Measured>;
}

/** wfctl of one source tree, through a real plugin process. `root` is a built checkout. */
export async function wfctl(root: string, name: string, extra: readonly string[]): Promise<WfctlTool> {
  const plugins = await buildPlugin(root);
  const program = installCli(root);
  const env = {
    ...process.env,
    WFCTL_PLUGIN_DIR: plugins,
    XDG_CONFIG_HOME: "",
    NO_COLOR: "1",
  };
  delete (env as NodeJS.ProcessEnv)["CI"];
  const call: WfctlTool["call"] = (directory, args, more = {}) =>
    measure(program, args, { cwd: directory, env: { ...env, XDG_CONFIG_HOME: join(directory, ".config"), ...more } });
  return {
    name,
    program,
    call,
    version: spawnSync(program, ["version"], { encoding: "utf8" }).stdout.split("\n")[0] ?? "",
    maxSize: Number.POSITIVE_INFINITY,
    async prepare(directory, shape, size) {
      rmSync(directory, { recursive: true, force: true });
      writeWfctlStack(directory, shape, size, false);
      await Promise.resolve();
    },
    run(directory, work, shape, size) {
      switch (work) {
        case "create":
          return call(directory, ["apply", "--auto-approve", ...extra]);
        case "plan":
          return call(directory, ["plan", ...extra]);
        case "plan-refresh":
          return call(directory, ["plan", "--refresh", ...extra]);
        case "change":
          writeWfctlStack(directory, shape, size, true);
          return call(directory, ["apply", "--auto-approve", ...extra]);
        case "destroy":
          return call(directory, ["destroy", "--auto-approve", ...extra]);
      }
    },
  };
}

/** The CLI as npm installs it: without the sources, which the launcher of a checkout compares with the bundle at each start. */
function installCli(root: string): string {
  const from = join(root, "apps/cli");
  const own = join(root, "node_modules/.cache/wfctl-bench/cli");
  rmSync(own, { recursive: true, force: true });
  for (const part of ["bin", "dist", "package.json"]) cpSync(join(from, part), join(own, part), { recursive: true });
  return join(own, "bin/wfctl");
}

/** Terraform or OpenTofu, with the resource that is built into the binary: no provider process at all. */
export function terraformLike(binary: "terraform" | "tofu"): Tool | undefined {
  const found = spawnSync(binary, ["version", "-json"], { encoding: "utf8" });
  if (found.status !== 0) return undefined;
  const env = { ...process.env, CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" };
  const call = (directory: string, args: readonly string[]): Promise<Measured> =>
    measure(binary, [...args, "-no-color"], { cwd: directory, env });
  return {
    name: binary,
    program: binary,
    version: (JSON.parse(found.stdout) as { terraform_version: string }).terraform_version,
    maxSize: binary === "terraform" ? 1000 : Number.POSITIVE_INFINITY,
    async prepare(directory, shape, size) {
      rmSync(directory, { recursive: true, force: true });
      writeTerraformStack(directory, shape, size, false);
      await call(directory, ["init", "-input=false"]);
    },
    run(directory, work, shape, size) {
      switch (work) {
        case "create":
          return call(directory, ["apply", "-auto-approve", "-input=false"]);
        case "plan":
          return call(directory, ["plan", "-input=false", "-refresh=false"]);
        case "plan-refresh":
          return call(directory, ["plan", "-input=false"]);
        case "change":
          writeTerraformStack(directory, shape, size, true);
          return call(directory, ["apply", "-auto-approve", "-input=false"]);
        case "destroy":
          return call(directory, ["destroy", "-auto-approve", "-input=false"]);
      }
    },
  };
}
