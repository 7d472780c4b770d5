import { resolve } from "node:path";
import type { Level } from "@wfctl/conformance";
import { parsePluginCommand, pluginConformanceSpec } from "../arguments/plugin.ts";
import { printResult } from "../views/plugins/print-result.ts";
import { exitCodes, type Command } from "./command.ts";

export const pluginConformanceCommand: Command = {
  spec: pluginConformanceSpec,
  async run(argv, context) {
    const { json, first = "", flags } = parsePluginCommand(pluginConformanceSpec, argv);
    const { renderReport, runConformance } = await import("@wfctl/conformance");
    const [only, config] = [flags.names("only"), flags.text("config")];
    const report = await runConformance(resolve(context.cwd, first), {
      level: (flags.text("level") ?? "strict") as Level,
      env: context.env,
      ...(only === undefined ? {} : { only: [...only] }),
      ...(config === undefined ? {} : { configFile: resolve(context.cwd, config) }),
      onResult({ id, type, result }) {
        if (!json && context.stderr.isTerminal) {
          context.stderr.write(`\r\u001B[K${result}: ${id}${type === undefined ? "" : ` [${type}]`}`);
        }
      },
    });
    if (!json && context.stderr.isTerminal) context.stderr.write("\r\u001B[K");
    printResult(context, json, {
      schema: "wfctl/conformance/1",
      value: report,
      text: renderReport(report, { verbose: flags.isSet("verbose") }),
    });
    return report.conforms ? exitCodes.success : exitCodes.error;
  },
};
