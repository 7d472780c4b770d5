import { WfctlError } from "@wfctl/model";
import { describe, expect, test } from "vitest";
import { parseApply } from "./apply.ts";
import { parseDestroy } from "./destroy.ts";
import { parseOutputs } from "./outputs.ts";
import { parsePlan } from "./plan.ts";
import { parseStateExport, parseStateImport, parseStateLeaseBreak, parseStateResolve } from "./state.ts";
import { parseStatus } from "./status.ts";

function refusal(parse: (argv: readonly string[]) => unknown, argv: readonly string[]): WfctlError {
  try {
    parse(argv);
  } catch (error) {
    if (error instanceof WfctlError) return error;
    throw error;
  }
  return expect.unreachable(`"${argv.join(" ")}" should have been refused`);
}

describe("plan", () => {
  test("takes the flags of upstream", () => {
    const args = parsePlan([
      "-c",
      "x.yaml",
      "-env",
      "prod",
      "-plugin-dir",
      "p",
      "-o",
      "p.json",
      "-S",
      "-include",
      "a,b",
      "-f",
      "markdown",
    ]);
    expect(args).toMatchObject({
      config: "x.yaml",
      environment: "prod",
      pluginDir: "p",
      output: "p.json",
      showSensitive: true,
      markdown: true,
      json: false,
    });
    expect([...(args.options.include ?? [])]).toEqual(["a", "b"]);
  });

  test("takes its stack file as a positional, but not twice", () => {
    expect(parsePlan(["infra.yaml"]).config).toBe("infra.yaml");
    expect(refusal(parsePlan, ["infra.yaml", "-c", "other.yaml"]).message).toContain("two stack files");
  });

  test("never writes a plan over a stack file", () => {
    expect(refusal(parsePlan, ["-o", "infra.yaml"]).code).toBe("USAGE");
  });

  test("refuses formats that contradict each other", () => {
    expect(parsePlan(["--format", "json", "--json"]).json).toBe(true);
    expect(refusal(parsePlan, ["--format", "table", "--json"]).code).toBe("USAGE");
  });
});

describe("apply", () => {
  test("cannot ask for a yes in JSON", () => {
    expect(refusal(parseApply, ["--json"]).hint).toContain("--auto-approve");
    expect(parseApply(["--json", "-y"]).json).toBe(true);
    expect(parseApply(["--json", "--dry-run"]).dryRun).toBe(true);
    expect(parseApply(["--json", "--plan", "p.json"]).json).toBe(true);
  });

  test.each(["--include=a", "--replace=a", "--allow-replace=a", "--refresh", "--on-failure=stop"])(
    "refuses %s beside a saved plan, which has decided it",
    (flag) => {
      expect(refusal(parseApply, ["--plan", "p.json", flag]).message).toContain("exclude each other");
    },
  );

  test("takes --parallelism beside a saved plan", () => {
    expect(parseApply(["--plan", "p.json", "--parallelism", "3"]).options.parallelism).toBe(3);
  });

  test.each([
    "owner",
    "force-owner",
    "wait",
    "skip-bootstrap",
    "skip-refresh",
    "refresh-outputs",
    "allow-protected-prune",
  ])("refuses upstream's --%s by name", (flag) => {
    expect(refusal(parseApply, [`--${flag}`]).message).toContain(`--${flag} is a flag of upstream`);
  });

  test("takes --format for a dry run only", () => {
    expect(refusal(parseApply, ["--format", "json"]).code).toBe("USAGE");
    expect(parseApply(["--dry-run", "--format", "json"]).json).toBe(true);
  });

  test("refuses a failure policy that it does not know", () => {
    expect(refusal(parseApply, ["--on-failure", "explode"]).message).toContain("continue, stop or compensate");
  });
});

test("destroy has no flags that only make sense for a configuration", () => {
  expect(refusal(parseDestroy, ["--refresh"]).code).toBe("USAGE");
  expect(refusal(parseDestroy, ["--new-state"]).code).toBe("USAGE");
});

test("outputs refuses two formats and two selections", () => {
  expect(parseOutputs([]).format).toBe("yaml");
  expect(refusal(parseOutputs, ["--json", "-f", "env"]).code).toBe("USAGE");
  expect(refusal(parseOutputs, ["--all", "-m", "db"]).code).toBe("USAGE");
});

test("status needs --live for a plugin folder", () => {
  expect(refusal(parseStatus, ["--plugin-dir", "p"]).code).toBe("USAGE");
});

describe("state", () => {
  test("resolve takes exactly one of an id and absence", () => {
    expect(parseStateResolve(["db", "--id", "i-1"]).resolution).toEqual({ id: "i-1" });
    expect(parseStateResolve(["db", "--absent"]).resolution).toEqual({ absent: true });
    expect(refusal(parseStateResolve, ["db"]).message).toContain("one of --id ID and --absent");
    expect(refusal(parseStateResolve, ["db", "--id", "i-1", "--absent"]).message).toContain(
      "one of --id ID and --absent",
    );
  });

  test("lease break takes a number", () => {
    expect(parseStateLeaseBreak(["7"]).id).toBe(7);
    expect(refusal(parseStateLeaseBreak, ["seven"]).code).toBe("USAGE");
  });

  test("import takes a file or folder, also as upstream writes it, and providers by name", () => {
    expect(parseStateImport(["--from", "./old"]).from).toBe("./old");
    expect(parseStateImport(["--from", "tfstate", "terraform.tfstate"]).from).toBe("terraform.tfstate");
    expect(refusal(parseStateImport, ["--from", "pulumi"]).message).toContain("--from pulumi needs a file");
    expect(refusal(parseStateImport, ["--from", "a", "b"]).message).toContain('two files are given, "a" and "b"');
    expect(refusal(parseStateImport, []).message).toContain("--from is missing");
    const { providers } = parseStateImport(["--from", "a", "--provider", "aws.west=west", "--provider", "aws=east"]);
    expect([...providers]).toEqual([
      ["aws.west", "west"],
      ["aws", "east"],
    ]);
    expect(refusal(parseStateImport, ["--from", "a", "--provider", "aws"]).message).toContain("FOREIGN=MODULE");
    expect(refusal(parseStateImport, ["--from", "a", "--provider", "a=b", "--provider", "a=c"]).message).toContain(
      "twice",
    );
  });

  test("export refuses upstream's format by name", () => {
    expect(parseStateExport(["-o", "x.json", "-S"])).toMatchObject({ out: "x.json", showSensitive: true });
    expect(refusal(parseStateExport, ["--format", "tfstate"]).message).toContain("--format is a flag of upstream");
  });
});
