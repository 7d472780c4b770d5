import { WfctlError } from "@wfctl/model";
import { describe, expect, test } from "vitest";
import type { CommandSpec } from "./command-spec.ts";
import { parseFlags } from "./parse-flags.ts";

const spec: CommandSpec = {
  path: ["try"],
  summary: "For tests",
  positionals: [
    { name: "NAME", text: "a name", required: true },
    { name: "FILE", text: "a file", required: false },
  ],
  flags: [
    { name: "env", short: "e", value: "NAME", text: "" },
    { name: "auto-approve", short: "y", text: "" },
    { name: "include", value: "NAMES", list: true, text: "" },
    { name: "format", value: "FORMAT", choices: ["table", "json"], text: "" },
    { name: "parallelism", value: "N", text: "" },
  ],
  unserved: { owner: "Leave it out" },
};

function refusal(...argv: string[]): WfctlError {
  try {
    parseFlags(spec, argv).count("parallelism", 1);
  } catch (error) {
    if (error instanceof WfctlError) return error;
    throw error;
  }
  return expect.unreachable(`"${argv.join(" ")}" should have been refused`);
}

describe("flags are read", () => {
  test.each([
    [["-env", "prod", "a"]],
    [["--env", "prod", "a"]],
    [["-env=prod", "a"]],
    [["--env=prod", "a"]],
    [["-e", "prod", "a"]],
    [["-e=prod", "a"]],
    [["a", "--env", "prod"]],
  ])("in Go's style and after positionals: %j", (argv) => {
    const flags = parseFlags(spec, argv);
    expect(flags.text("env")).toBe("prod");
    expect(flags.positionals).toEqual(["a"]);
  });

  test("as switches, also with a value", () => {
    expect(parseFlags(spec, ["-y", "a"]).isSet("auto-approve")).toBe(true);
    expect(parseFlags(spec, ["--auto-approve=true", "a"]).isSet("auto-approve")).toBe(true);
    expect(parseFlags(spec, ["-auto-approve=false", "a"]).isSet("auto-approve")).toBe(false);
    expect(parseFlags(spec, ["a"]).isSet("auto-approve")).toBe(false);
  });

  test("as lists, separated by commas or repeated", () => {
    expect([...(parseFlags(spec, ["-include", "a,b", "--include=c", "x"]).names("include") ?? [])]).toEqual([
      "a",
      "b",
      "c",
    ]);
    expect(parseFlags(spec, ["x"]).names("include")).toBeUndefined();
  });

  test("up to --, after which everything is a positional", () => {
    expect(parseFlags(spec, ["--", "-e", "--env"]).positionals).toEqual(["-e", "--env"]);
  });

  test("as numbers, negative ones and words refused", () => {
    expect(parseFlags(spec, ["--parallelism", "7", "a"]).count("parallelism", 1)).toBe(7);
    expect(refusal("--parallelism", "0", "a").message).toContain('--parallelism is "0"');
    expect(refusal("--parallelism", "-1", "a").message).toContain('--parallelism is "-1"');
    expect(refusal("--parallelism", "many", "a").message).toContain('--parallelism is "many"');
  });
});

describe("a command line is refused with USAGE", () => {
  test.each([
    ["an unknown flag, with a suggestion", ["--evn", "x", "a"], "there is no flag --evn", "Did you mean --env?"],
    ["an unknown flag that is like none", ["--zzzzzzzz", "a"], "there is no flag --zzzzzzzz", "wfctl help try"],
    ["a flag of upstream that is not served", ["--owner", "me", "a"], "--owner is a flag of upstream", "Leave it out"],
    ["a flag without its value", ["a", "--env"], "--env needs a value: NAME", "wfctl help try"],
    ["a flag whose value is another flag", ["a", "--env", "-y"], 'found "-y"', "wfctl help try"],
    ["an empty value", ["a", "--env="], '--env is ""', "wfctl help try"],
    ["an empty name in a list", ["a", "--include", "x,,y"], '--include is "x,,y"', "wfctl help try"],
    ["a value outside the choices", ["a", "--format", "xml"], "expected table or json", "wfctl help try"],
    ["a value for a switch", ["a", "--auto-approve=maybe"], "expected true or false", "wfctl help try"],
    ["a flag given twice", ["a", "-e", "x", "--env", "y"], "--env is given 2 times", "wfctl help try"],
    ["a missing positional", ["-y"], "NAME is missing", "wfctl help try"],
    ["a positional too many", ["a", "b", "c"], '"c" is one argument too many', "wfctl help try"],
  ])("for %s", (_, argv, message, hint) => {
    const error = refusal(...argv);
    expect(error.code).toBe("USAGE");
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint);
  });
});
