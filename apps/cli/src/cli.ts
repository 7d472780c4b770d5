import { WfctlError } from "@wfctl/model";
import { commandTable, unservedCommands, type CommandEntry } from "./commands/table.ts";
import type { Context } from "./context.ts";

/** Runs one command line, without the program's name. Never throws; resolves to the exit code. */
export async function runCli(argv: readonly string[], context: Context): Promise<number> {
  try {
    const { entry, rest } = await chooseCommand(argv);
    const command = await entry.load();
    if (entry.name !== "help" && asksForHelp(rest)) {
      const { renderHelp } = await import("./views/human/help.ts");
      context.stdout.write(renderHelp(command.spec));
      return 0;
    }
    return await command.run(rest, context);
  } catch (thrown) {
    const { showError } = await import("./views/show-error.ts");
    return showError(thrown, { argv, context });
  }
}

/** `wfctl infra plan` is `wfctl plan`; no words at all, and help in any form, is the help. */
async function chooseCommand(
  argv: readonly string[],
): Promise<{ readonly entry: CommandEntry; readonly rest: readonly string[] }> {
  const words = argv[0] === "infra" ? argv.slice(1) : argv;
  const [first] = words;
  if (first === undefined || asksForHelp([first])) return { entry: entryOf("help"), rest: [] };
  if (/^--?v(ersion)?$/.test(first)) return { entry: entryOf("version"), rest: words.slice(1) };
  for (let length = 3; length >= 1; length -= 1) {
    const entry = commandTable.find((candidate) => candidate.name === words.slice(0, length).join(" "));
    if (entry !== undefined) return { entry, rest: words.slice(length) };
  }
  if (isGroup(first) && asksForHelp(words)) return { entry: entryOf("help"), rest: [first] };
  throw await unknownCommand(words);
}

/** `state` and `plugin` are no commands themselves, but beginnings of some. */
function isGroup(word: string): boolean {
  return commandTable.some((entry) => entry.name.startsWith(`${word} `));
}

function entryOf(name: string): CommandEntry {
  return commandTable.find((entry) => entry.name === name) as CommandEntry;
}

function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return (end < 0 ? words : words.slice(0, end)).some((word) => /^--?h(elp)?$/.test(word));
}

async function unknownCommand(words: readonly string[]): Promise<WfctlError> {
  const [first = ""] = words;
  if (first.startsWith("-")) {
    return new WfctlError("USAGE", `"${first}" stands where the name of a command is expected`, {
      hint: "Write the command first, then its flags: wfctl plan -e prod. See: wfctl help",
    });
  }
  const typed = words.filter((word) => !word.startsWith("-"));
  for (let length = 2; length >= 1; length -= 1) {
    const name = typed.slice(0, length).join(" ");
    const instead = unservedCommands[name];
    if (instead !== undefined) {
      return new WfctlError("USAGE", `"wfctl ${name}" is a command of upstream that is not served`, { hint: instead });
    }
  }
  const { suggest } = await import("@wfctl/config/suggest");
  const groups = commandTable.filter((entry) => entry.name.startsWith(`${typed[0]} `));
  const name = typed.slice(0, groups.length > 0 ? 2 : 1).join(" ");
  const near = suggest(
    name,
    (groups.length > 0 ? groups : commandTable).map((entry) => entry.name),
  );
  const hint =
    near !== undefined
      ? `Did you mean "wfctl ${near}"?`
      : groups.length > 0
        ? `Known are ${groups.map((entry) => entry.name).join(", ")}`
        : "See: wfctl help";
  return new WfctlError("USAGE", `There is no command "wfctl ${name}"`, { hint });
}
