import { WfctlError } from "@wfctl/model";
import { suggestHint } from "@wfctl/config/suggest";
import type { CommandSpec } from "../arguments/command-spec.ts";
import { renderHelp, renderOverview } from "../views/human/help.ts";
import type { Command } from "./command.ts";
import { commandTable, unservedCommands } from "./table.ts";

export const helpSpec: CommandSpec = {
  path: ["help"],
  summary: "Explain wfctl, or one command",
  positionals: [{ name: "COMMAND", text: "name of a command, such as state list", required: false }],
  flags: [],
};

export const helpCommand: Command = {
  spec: helpSpec,
  async run(argv, context) {
    const name = argv
      .filter((word) => !word.startsWith("-"))
      .join(" ")
      .replace(/^infra /, "");
    if (name === "") {
      context.stdout.write(renderOverview());
      return 0;
    }
    const entry = commandTable.find((candidate) => candidate.name === name);
    if (entry !== undefined) {
      context.stdout.write(renderHelp((await entry.load()).spec));
      return 0;
    }
    const group = commandTable.filter((candidate) => candidate.name.startsWith(`${name} `));
    if (group.length > 0) {
      context.stdout.write(`${group.map((one) => `wfctl ${one.name}: ${one.summary}`).join("\n")}\n`);
      return 0;
    }
    const instead = unservedCommands[name];
    if (instead !== undefined) {
      throw new WfctlError("USAGE", `"wfctl ${name}" is a command of upstream that is not served`, { hint: instead });
    }
    throw new WfctlError("USAGE", `There is no command "wfctl ${name}"`, {
      hint: suggestHint(
        name,
        commandTable.map((candidate) => candidate.name),
        "See: wfctl help",
      ),
    });
  },
};
