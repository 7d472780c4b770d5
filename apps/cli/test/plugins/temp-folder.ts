import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder that is gone when the test is done. */
export function tempFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "wfctl-plugins-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
