import { relative, resolve } from "node:path";
import { parsePluginCommand, pluginNewSpec } from "../arguments/plugin.ts";
import { createPluginProject } from "../plugins/new-plugin.ts";
import { version } from "../version.ts";
import { printResult } from "../views/plugins/print-result.ts";
import type { Command } from "./command.ts";

export const pluginNewCommand: Command = {
  spec: pluginNewSpec,
  run(argv, context) {
    const { json, first = "", flags } = parsePluginCommand(pluginNewSpec, argv);
    const { directory, files } = createPluginProject(resolve(context.cwd, flags.text("dir") ?? first), first, version);
    const shown = relative(context.cwd, directory) || ".";
    printResult(context, json, {
      schema: "wfctl/plugin-new/1",
      value: { name: first, directory, files },
      text: `Made ${directory} with ${files.length} files. Next:\n  cd ${shown}\n  npm install\n  npm test\n`,
    });
    return Promise.resolve(0);
  },
};
