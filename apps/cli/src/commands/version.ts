import { engineCompatVersion } from "@wfctl/plugin-host";
import type { CommandSpec } from "../arguments/command-spec.ts";
import { jsonFlag } from "../arguments/json-flag.ts";
import { version } from "../version.ts";
import type { Command } from "./command.ts";

const versionSpec: CommandSpec = {
  path: ["version"],
  summary: "Print the versions of wfctl, of the engine it is compatible with, and of Node",
  flags: [jsonFlag],
};

/** Loads no view: it is the command that scripts start most often. */
export const versionCommand: Command = {
  spec: versionSpec,
  async run(argv, context) {
    const { parseFlags } = argv.length === 0 ? {} : await import("../arguments/parse-flags.ts");
    const json = parseFlags?.(versionSpec, argv).isSet("json") === true;
    const node = process.version;
    const platform = `${process.platform} ${process.arch}`;
    context.stdout.write(
      json
        ? `${JSON.stringify({ schema: "wfctl/version/1", version, engineCompat: engineCompatVersion, node, platform })}\n`
        : `wfctl ${version}\nengine compatibility ${engineCompatVersion}\nnode ${node} (${platform})\n`,
    );
    return 0;
  },
};
