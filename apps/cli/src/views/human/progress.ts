import { actionSymbols, type ActionKind } from "@wfctl/model";
import type { EngineEvent } from "@wfctl/engine";
import type { Output } from "../../context.ts";
import { actionWords } from "../action-words.ts";
import { createRunningActions, type RunningAction } from "../running-actions.ts";
import type { Style } from "./style.ts";
import { printable, showDuration } from "./text.ts";

/** A run as it goes on: one line for each end, and what is under way. */
export interface Progress {
  event(event: EngineEvent): void;
  /** To be called about once a second. */
  tick(): void;
  /** Writes a line that is not progress, above the line of what is under way. */
  line(text: string): void;
  /** Takes the line of what is under way off the screen. */
  clear(): void;
}

/** On a terminal the last line shows what is under way; elsewhere a line every ten seconds for each action that goes on. */
export function createProgress(output: Output, style: Style, now: () => number): Progress {
  const running = createRunningActions(now);
  const live = output.isTerminal;
  /** Notes of drivers that were shown: each is told once, however often its call shows signs of life. */
  const noted = new Set<string>();
  let shown = false;
  let drawnAtMs = -Infinity;

  const clear = (): void => {
    if (shown) output.write("\r\u001B[2K");
    shown = false;
  };
  const line = (text: string): void => {
    clear();
    output.write(`${text}\n`);
  };
  const draw = (): void => {
    const list = running.list();
    if (!live || list.length === 0) return;
    drawnAtMs = now();
    clear();
    output.write(style.faint(statusLine(list, running.done, running.total, output.columns ?? 80)));
    shown = true;
  };
  /** What a driver says that is to be kept in mind, not only while the call goes on. */
  const noteOf = (event: EngineEvent): string | undefined => {
    if (event.event !== "action-progress" || !event.message.startsWith("Note: ")) return undefined;
    const text = `    ${printable(event.name)}: ${printable(event.message)}`;
    if (noted.has(text)) return undefined;
    noted.add(text);
    return text;
  };
  return {
    event(event) {
      running.event(event);
      const text = noteOf(event) ?? describeEvent(event, style);
      if (text !== undefined) line(text);
      if (text !== undefined || now() - drawnAtMs >= 100) draw();
      if (event.event === "run-closed") clear();
    },
    tick() {
      if (live) {
        draw();
        return;
      }
      for (const action of running.takeDue()) {
        const said = (action.message ?? "") === "" ? "" : `: ${printable(action.message ?? "")}`;
        line(`    still ${wordsOf(action)} after ${showDuration(action.elapsedMs)}${said}`);
      }
    },
    line,
    clear,
  };
}

function wordsOf(action: RunningAction): string {
  if (action.undo) return `undoing the ${action.kind} of ${printable(action.name)}`;
  const half = action.half === "delete" ? ", old object" : action.half === "create" ? ", new object" : "";
  return `${actionWords[action.kind as ActionKind].now} ${printable(action.name)}${half}`;
}

function statusLine(list: readonly RunningAction[], done: number, total: number, columns: number): string {
  const parts = list.map((action) => `${wordsOf(action)} (${showDuration(action.elapsedMs)})`);
  const text = `[${done}/${total}] ${parts.join(", ")}`;
  return text.length < columns ? text : `${text.slice(0, Math.max(0, columns - 2))}…`;
}

/** The line of an event; undefined for events that only change what is under way. Skipped actions are told at the end. */
function describeEvent(event: EngineEvent, style: Style): string | undefined {
  switch (event.event) {
    case "action-done": {
      const { outcome } = event;
      const kind = event.kind as ActionKind;
      const name = printable(event.name);
      if (outcome.status === "SKIPPED") return undefined;
      if (outcome.status === "SUCCESS") {
        return `  ${style.good(actionSymbols[kind])} ${actionWords[kind].done} ${name} in ${showDuration(outcome.durationMs)}`;
      }
      const why = outcome.message === undefined ? "" : `: ${printable(outcome.message)}`;
      return `  ${style.bad("✗")} ${kind} ${name}: ${outcome.status}${outcome.code === undefined ? "" : ` ${outcome.code}`}${why}`;
    }
    case "action-retry":
      return `    ${printable(event.name)}: attempt ${event.attempt} in ${showDuration(event.afterMs)}, because ${printable(event.why)}`;
    case "recovery":
      return `  ${style.warn("↻")} ${event.operation} ${printable(event.name)} of run ${event.run}: ${event.result}, ${printable(event.message)}`;
    case "recovery-waiting":
      return `  ${style.warn("↻")} ${event.operation} ${printable(event.name)} of run ${event.run}: what was sent may still take effect; looked at again in ${showDuration(event.waitMs)}`;
    case "finalizer":
      return event.errors.length === 0
        ? undefined
        : `  ${style.bad("✗")} finalizer of ${printable(event.provider)}: ${event.errors.map(printable).join("; ")}`;
    case "undo": {
      const why = event.message === undefined ? "" : `: ${printable(event.message)}`;
      return `  ${style.warn("↶")} undo ${printable(event.name)}: ${event.status}${why}`;
    }
    case "run-started":
    case "action-started":
    case "action-progress":
    case "run-closed":
      return undefined;
  }
}
