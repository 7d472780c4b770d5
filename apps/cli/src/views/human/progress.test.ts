import type { EngineEvent } from "@wfctl/engine";
import { describe, expect, test } from "vitest";
import { createProgress } from "./progress.ts";
import { createStyle } from "./style.ts";

function screen(isTerminal: boolean) {
  let text = "";
  let nowMs = 0;
  const output = { write: (more: string) => void (text += more), isTerminal, columns: isTerminal ? 60 : undefined };
  const progress = createProgress(output, createStyle(false), () => nowMs);
  return {
    progress,
    at(ms: number, act: () => void): string {
      nowMs = ms;
      text = "";
      act();
      return text;
    },
  };
}

const started = (action: number, name: string, half = "main"): EngineEvent => ({
  event: "action-started",
  action,
  half,
  kind: half === "main" ? "create" : "replace",
  name,
  type: "infra.test",
});
const done = (action: number, name: string): EngineEvent => ({
  event: "action-done",
  action,
  name,
  kind: "create",
  outcome: { action, status: "SUCCESS", attempts: 1, durationMs: 5 },
});

describe("without a terminal", () => {
  test("what is taken back is told as that, until its undo has ended", () => {
    const { progress, at } = screen(false);
    at(0, () => progress.event({ ...started(0, "db"), undo: true } as EngineEvent));
    expect(at(10_000, () => progress.tick())).toBe("    still undoing the create of db after 10 s\n");
    at(11_000, () => progress.event({ event: "undo", run: "r", name: "db", status: "COMPENSATED" }));
    expect(at(40_000, () => progress.tick())).toBe("");
  });

  test("a note of a driver is shown at once, and once", () => {
    const { progress, at } = screen(false);
    const progressOf = (message: string): EngineEvent => ({
      event: "action-progress",
      action: 0,
      name: "db",
      message,
      elapsedMs: 1,
    });
    at(0, () => progress.event(started(0, "db")));
    expect(at(1, () => progress.event(progressOf("Note: no tags\u001B[2J here")))).toMatch(
      /^ {4}db: Note: no tags.* here\n$/,
    );
    expect(at(2, () => progress.event(progressOf("Note: no tags\u001B[2J here")))).toBe("");
    expect(at(3, () => progress.event(progressOf("copying")))).toBe("");
  });

  test("an action that goes on says so every ten seconds, with what its driver said last", () => {
    const { progress, at } = screen(false);
    at(0, () => progress.event(started(0, "db")));
    expect(at(9_999, () => progress.tick())).toBe("");
    expect(at(10_000, () => progress.tick())).toBe("    still creating db after 10 s\n");
    expect(at(11_000, () => progress.tick())).toBe("");
    at(12_000, () =>
      progress.event({ event: "action-progress", action: 0, name: "db", message: "copying", elapsedMs: 1 }),
    );
    expect(at(20_500, () => progress.tick())).toBe("    still creating db after 21 s: copying\n");
    at(21_000, () => progress.event(done(0, "db")));
    expect(at(40_000, () => progress.tick())).toBe("");
  });

  test("no escape sequence is written", () => {
    const { progress, at } = screen(false);
    const text = at(0, () => {
      progress.event(started(0, "db"));
      progress.event(done(0, "db"));
      progress.clear();
    });
    expect(text).toBe("  + created db in 5 ms\n");
  });
});

describe("on a terminal", () => {
  test("the last line shows what is under way, and gives way to every other line", () => {
    const { progress, at } = screen(true);
    at(0, () => progress.event({ event: "run-started", run: "r", actions: 3 }));
    const first = at(1000, () => progress.event(started(0, "db")));
    expect(first).toBe("[0/3] creating db (0 ms)");
    at(1001, () => progress.event(started(1, "api", "delete")));
    expect(at(3000, () => progress.tick())).toBe("\r\u001B[2K[0/3] creating db (2 s), replacing api, old object (2 s)");
    expect(at(3100, () => progress.event(done(0, "db")))).toBe(
      "\r\u001B[2K  + created db in 5 ms\n[1/3] replacing api, old object (2 s)",
    );
    expect(at(3200, () => progress.line("a notice"))).toBe("\r\u001B[2Ka notice\n");
    expect(at(3300, () => progress.tick())).toBe("[1/3] replacing api, old object (2 s)");
    expect(at(3400, () => progress.event({ event: "run-closed", run: "r", end: "succeeded" }))).toContain(
      "\r\u001B[2K",
    );
    expect(at(3500, () => progress.clear())).toBe("");
  });

  test("the line is cut to the width", () => {
    const { progress, at } = screen(true);
    at(0, () => {
      for (let action = 0; action < 20; action += 1) progress.event(started(action, `resource-${action}`));
    });
    const text = at(1000, () => progress.tick()).replace("\r\u001B[2K", "");
    expect(text).toHaveLength(59);
    expect(text.endsWith("…")).toBe(true);
  });
});
