import { expect, test } from "vitest";
import { createLog } from "./log.ts";

test("no line of the log can pass for a line of JSON, which hosts of Go read and may fail on", () => {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line), "debug");
  log.info('{"@level": 3}');
  log.warn('first\n{"@level": 3}\n\nlast');
  log.debug("");
  expect(lines).toEqual(['[INFO] {"@level": 3}\n', '[WARN] first {"@level": 3} last\n', "[DEBUG] \n"]);
});

test("lines below the level are left out", () => {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line), "warn");
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  expect(lines).toEqual(["[WARN] c\n", "[ERROR] d\n"]);
});
