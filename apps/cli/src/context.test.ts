import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { wantsColor } from "./context.ts";

test.each([
  [{}, true, true],
  [{}, false, false],
  [{ NO_COLOR: "1" }, true, false],
  [{ NO_COLOR: "" }, true, true],
  [{ NO_COLOR: "1", FORCE_COLOR: "1" }, true, false],
  [{ FORCE_COLOR: "1" }, false, true],
  [{ FORCE_COLOR: "0" }, true, false],
  [{ TERM: "dumb" }, true, false],
])("with %j, on a terminal: %s, colours are %s", (env, isTerminal, expected) => {
  expect(wantsColor(env, isTerminal)).toBe(expected);
});

const main = fileURLToPath(new URL("./main.ts", import.meta.url));

/** Runs a line of shell in which `"$@"` is the program. */
function shell(line: string, cwd: string): { readonly code: number | null; readonly stderr: string } {
  const program = [process.execPath, "--disable-warning=ExperimentalWarning", main];
  const { status, stderr } = spawnSync("sh", ["-c", line, "sh", ...program], { cwd, encoding: "utf8" });
  return { code: status, stderr };
}

test.skipIf(process.platform !== "linux")("output that a full disk does not take is a failure, and is told", () => {
  const { code, stderr } = shell('"$@" version > /dev/full', tmpdir());
  expect(code).toBe(1);
  expect(stderr).toContain("Writing the output failed: ENOSPC");
  expect(shell('"$@" version | head -n 0', tmpdir()).stderr).toBe("");
});

test("a working folder that was removed is told in words", () => {
  const folder = mkdtempSync(join(tmpdir(), "wfctl-removed-"));
  const { code, stderr } = shell('rmdir "$PWD"; "$@" plan', folder);
  expect(code).toBe(1);
  expect(stderr).toContain("There is no stack file");
  expect(stderr).toContain("the working folder was removed");
  expect(stderr).not.toContain("    at ");
});
