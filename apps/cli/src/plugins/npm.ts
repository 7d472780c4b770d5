import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { WfctlError } from "@wfctl/model";

const timeoutMs = 300_000;

/** The npm on PATH, which knows registries, credentials and caches. */
export interface Npm {
  /** Downloads a package, unpacks nothing, runs nothing of it. */
  pack(spec: string, folder: string): Promise<{ readonly path: string; readonly version: string }>;
  /** The newest version that the specification allows. */
  newest(spec: string): Promise<string>;
}

export function createNpm(env: Readonly<Record<string, string | undefined>>, cwd: string): Npm {
  const run = async (spec: string, args: readonly string[]): Promise<unknown> => {
    try {
      const { stdout } = await promisify(execFile)("npm", [...args, "--json", "--ignore-scripts", "--loglevel=error"], {
        cwd,
        env: env as NodeJS.ProcessEnv,
        timeout: timeoutMs,
        maxBuffer: 16 * 1024 * 1024,
      });
      return JSON.parse(stdout) as unknown;
    } catch (error) {
      throw failure(spec, error);
    }
  };
  return {
    async pack(spec, folder) {
      const answer = (await run(spec, ["pack", spec, "--pack-destination", folder])) as unknown;
      // npm answers with a list, or from some version on with an object by name.
      const [packed] = (Array.isArray(answer) ? answer : Object.values(answer as object)) as unknown[];
      const { filename, version } = (packed ?? {}) as { filename?: string; version?: string };
      if (filename === undefined || version === undefined) {
        throw new WfctlError("PLUGIN_PACKAGE", `npm pack ${spec} did not say what it packed`);
      }
      return { path: join(folder, filename.replaceAll("/", "-").replace(/^@/, "")), version };
    },
    async newest(spec) {
      const answer = await run(spec, ["view", spec, "version"]);
      const version = (Array.isArray(answer) ? answer.at(-1) : answer) as unknown;
      if (typeof version === "string") return version;
      throw new WfctlError("PLUGIN_PACKAGE", `There is no version of ${spec}`);
    },
  };
}

function failure(spec: string, error: unknown): WfctlError {
  const {
    code,
    killed,
    stdout = "",
    stderr = "",
  } = error as {
    code?: string | number;
    killed?: boolean;
    stdout?: string;
    stderr?: string;
  };
  if (code === "ENOENT") {
    return new WfctlError("PLUGIN_PACKAGE", `${spec} cannot be fetched: there is no npm on PATH`, {
      hint: "Install npm, or install the plugin from a folder or an archive",
    });
  }
  if (killed === true)
    return new WfctlError("PLUGIN_PACKAGE", `npm did not fetch ${spec} within ${timeoutMs / 1000} s`);
  return new WfctlError("PLUGIN_PACKAGE", `npm cannot fetch ${spec}: ${npmSays(stdout, stderr)}`, {
    hint: "Check the name and the version, and that npm reaches its registry",
  });
}

/** With `--json` npm tells its errors as JSON on standard output. */
function npmSays(stdout: string, stderr: string): string {
  try {
    const { error } = JSON.parse(stdout) as { error?: { code?: string; summary?: string } };
    const said = [error?.code, error?.summary?.split("\n")[0]].filter(Boolean).join(": ");
    if (said !== "") return said;
  } catch {
    // Not this time.
  }
  const line = stderr.split("\n").find((text) => text.trim() !== "");
  return line?.replace(/^npm (?:error|ERR!) /, "").trim() ?? "it said nothing";
}
