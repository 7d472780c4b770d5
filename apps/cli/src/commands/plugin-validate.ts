import { WfctlError } from "@wfctl/model";
import { checkManifestGate, servedProvider, type InstalledPlugin } from "@wfctl/plugin-host";
import { parsePluginCommand, pluginValidateSpec } from "../arguments/plugin.ts";
import { listAvailable, namePlugin } from "../plugins/name-plugin.ts";
import { printResult } from "../views/plugins/print-result.ts";
import { exitCodes, type Command } from "./command.ts";

interface Finding {
  readonly severity: "error" | "warning";
  readonly path: string;
  readonly problem: string;
}

/** A version that says that it is set when the plugin is built. */
const unset = "0.0.0";

export const pluginValidateCommand: Command = {
  spec: pluginValidateSpec,
  run(argv, context) {
    const { json, first, pluginDir } = parsePluginCommand(pluginValidateSpec, argv);
    const places = { context, ...(pluginDir === undefined ? {} : { pluginDir }) };
    const plugins = first === undefined ? listAvailable(places) : [namePlugin(places, first)];
    const checked = plugins.map((plugin) => ({ plugin, findings: validatePlugin(plugin) }));
    const ok = checked.every(({ findings }) => findings.every(({ severity }) => severity !== "error"));
    printResult(context, json, {
      schema: "wfctl/plugin-validation/1",
      value: {
        ok,
        plugins: checked.map(({ plugin, findings }) => ({
          plugin: plugin.folder,
          directory: plugin.directory,
          findings,
        })),
      },
      text:
        checked.length === 0
          ? "There is no plugin.\n"
          : checked.map(({ plugin, findings }) => `${render(plugin, findings)}\n`).join(""),
    });
    return Promise.resolve(ok ? exitCodes.success : exitCodes.error);
  },
};

function validatePlugin(plugin: InstalledPlugin): Finding[] {
  const { manifest, violations, providerName } = plugin.parsed;
  const findings: Finding[] = violations.map(({ path, found, expected }) => ({
    severity: "error",
    path,
    problem: `found ${found}, expected ${expected}`,
  }));
  if (manifest === undefined) return findings;
  try {
    checkManifestGate({ plugin, manifest, warnings: [] });
  } catch (error) {
    if (!(error instanceof WfctlError)) throw error;
    findings.push({ severity: "error", path: "", problem: error.message });
  }
  const warn = (path: string, problem: string): void => void findings.push({ severity: "warning", path, problem });
  if (providerName === undefined) {
    warn(
      "/capabilities/iacProvider/name",
      `is missing: the plugin is found by its name, as "${servedProvider(plugin)}", and by no host of upstream`,
    );
  }
  if (manifest.computePlanVersion === "")
    warn("/iacProvider/computePlanVersion", "is missing: what the plugin says when it runs decides");
  if (manifest.version === unset) warn("/version", `is ${unset}, which says that it was never set`);
  if (manifest.services.length === 0)
    warn("/iacServices", "is missing: nothing can be said of the plugin without starting it");
  return findings;
}

function render(plugin: InstalledPlugin, findings: readonly Finding[]): string {
  const head = `${plugin.manifestPath}: ${findings.some(({ severity }) => severity === "error") ? "invalid" : "valid"}`;
  return [
    head,
    ...findings.map(({ severity, path, problem }) => `  ${severity}: ${path === "" ? "" : `${path} `}${problem}`),
  ].join("\n");
}
