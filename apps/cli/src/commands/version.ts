import { engineCompatVersion } from "@wfctl/plugin-host";
import type { CommandSpec } from "../arguments/command-spec.ts";
import { parseFlags } from "../arguments/parse-flags.ts";
import { jsonFlag } from "../arguments/shared-flags.ts";
import { version } from "../version.ts";
import { createView } from "../views/create-view.ts";
import type { Command } from "./command.ts";

export const versionSpec: CommandSpec = {
  path: ["version"],
  summary: "Print the versions of wfctl, of the engine it is compatible with, and of Node",
  flags: [jsonFlag],
};

export const versionCommand: Command = {
  spec: versionSpec,
  async run(argv, context) {
    const flags = parseFlags(versionSpec, argv);
    const view = await createView(context, { json: flags.isSet("json") });
    view.version({
      version,
      engineCompat: engineCompatVersion,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
    });
    return 0;
  },
};
