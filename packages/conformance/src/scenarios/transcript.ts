import { expectThat, skipUnless, type PluginScenario } from "../scenario.ts";

/** Readers of Go hosts stop at a longer line, and the plugin blocks. */
const longestLine = 64 * 1024;
const shortestSecret = 4;

/** Over all that all processes of the run have printed: they come last. */
export const transcriptScenarios: readonly PluginScenario[] = [
  {
    id: "stdout-silent",
    title: "nothing is printed on standard output after the handshake",
    contract: "advised",
    strict: "required",
    scope: "plugin",
    async run({ subject }) {
      const printed = subject.processes.flatMap((each) => each.printed);
      expectThat(
        printed.length === 0,
        `The plugin printed ${printed.length} lines after its handshake, the first is ${JSON.stringify(printed[0]?.slice(0, 120))}`,
      );
    },
  },
  {
    id: "stdout-lines",
    title: "no line of output is so long that a host stops reading",
    contract: "required",
    strict: "required",
    scope: "plugin",
    async run({ subject }) {
      const longest = Math.max(0, ...subject.processes.flatMap((each) => each.printed.map((line) => line.length)));
      expectThat(longest < longestLine, `The plugin printed a line of ${longest} characters on standard output`);
    },
  },
  {
    id: "stderr-lines",
    title: "JSON on standard error has text in @level, @message and @timestamp: Go hosts panic on anything else",
    contract: "required",
    strict: "required",
    scope: "plugin",
    async run({ subject }) {
      for (const line of subject.processes.flatMap((each) => each.stderr)) {
        const wrong = panicKey(line);
        expectThat(
          wrong === undefined,
          `A line on standard error has "${wrong}" that is no text: ${JSON.stringify(line.slice(0, 120))}`,
        );
      }
    },
  },
  {
    id: "secrets-hidden",
    title: "no secret of the configuration is printed",
    contract: "required",
    strict: "required",
    scope: "plugin",
    async run({ subject, config }) {
      const secrets = config.secrets.filter((value) => value.length >= shortestSecret);
      if (config.secrets.length > 0)
        skipUnless(secrets.length > 0, `all secrets have fewer than ${shortestSecret} characters`);
      for (const each of subject.processes) {
        const text = [...each.printed, ...each.stderr].join("\n");
        const index = secrets.findIndex((value) => text.includes(value));
        expectThat(index < 0, `The plugin printed secret number ${index + 1} of its configuration`);
      }
    },
  },
];

function panicKey(line: string): string | undefined {
  if (!line.trimStart().startsWith("{")) return undefined;
  try {
    const value = JSON.parse(line) as Record<string, unknown>;
    return ["@level", "@message", "@timestamp"].find((key) => key in value && typeof value[key] !== "string");
  } catch {
    return undefined;
  }
}
