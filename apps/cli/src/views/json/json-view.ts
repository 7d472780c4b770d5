import { WfctlError, type Json, type JsonObject, type ResourceRecord } from "@wfctl/model";
import type { Context } from "../../context.ts";
import { createRunningActions } from "../running-actions.ts";
import type { View } from "../view.ts";
import { errorToJson } from "./error.ts";
import { diagnosticToJson, planToJson } from "./plan.ts";
import { runToJson } from "./run.ts";

export interface JsonViewOptions {
  /** The result comes after a stream of events: what else there is to say is an event too. */
  readonly stream: boolean;
  readonly now?: () => number;
}

/**
 * One JSON value a line on standard output. A command that runs something prints events (`wfctl/event/1`) and its result as the
 * last line; others print their result alone, and notices as JSON lines on standard error. Errors take the result's place.
 */
export function createJsonView(context: Context, options: JsonViewOptions): View {
  const now = options.now ?? Date.now;
  const print = (value: Json): void => context.stdout.write(`${JSON.stringify(value)}\n`);
  const sayBeside = (event: JsonObject): void => {
    context.stderr.write(`${JSON.stringify({ schema: "wfctl/notice/1", ...event })}\n`);
  };
  const say = (event: JsonObject): void => {
    if (options.stream) print({ schema: "wfctl/event/1", ...event, at: new Date(now()).toISOString() });
    else sayBeside(event);
  };
  const running = createRunningActions(now);
  let timer: NodeJS.Timeout | undefined;
  const tellRunning = (): void => {
    for (const { action, name, kind, undo, half, elapsedMs, message } of running.takeDue()) {
      say({
        event: "action-running",
        action,
        name,
        kind,
        ...(undo ? { undo } : {}),
        half,
        elapsedMs,
        ...(message === undefined ? {} : { message }),
      });
    }
  };
  return {
    notice: (text) => say({ event: "notice", text }),
    waiting: (text) => sayBeside({ event: "waiting", text }),
    warnings(diagnostics) {
      for (const diagnostic of diagnostics) say({ event: "diagnostic", ...diagnosticToJson(diagnostic) });
    },
    plan(plan, facts) {
      const json = planToJson(plan, facts);
      if (options.stream) say({ event: "plan", plan: json });
      else print(json);
    },
    event(event) {
      running.event(event);
      if (timer === undefined) {
        timer = setInterval(tellRunning, 1000);
        timer.unref();
      }
      say(event as unknown as JsonObject);
    },
    recovery(report) {
      if (report.runs.length === 0 && report.resolved.length === 0 && report.unknown.length === 0) return;
      say({
        event: "recovered",
        runs: report.runs,
        resolved: report.resolved.map((entry) => ({ ...entry })),
        unknown: report.unknown.map((entry) => ({ ...entry })),
        undos: report.undos.map(({ run, end, undone, remaining }) => ({
          run,
          end,
          undone: undone.map((entry) => ({ ...entry })),
          remaining: remaining.map((entry) => ({ ...entry })),
        })),
      });
    },
    run: (facts) => print(runToJson(facts)),
    compensation: ({ report, exitCode }) =>
      print({
        schema: "wfctl/compensation/1",
        run: report.run,
        end: report.end,
        undone: report.undone.map((entry) => ({ ...entry })),
        remaining: report.remaining.map((entry) => ({ ...entry })),
        exitCode,
      }),
    status: (facts) => print({ schema: "wfctl/status/1", ...(facts as unknown as JsonObject) }),
    records(facts) {
      const { records, ...rest } = facts;
      print({
        schema: "wfctl/records/1",
        ...(rest as unknown as JsonObject),
        records: records.map((record) => record as unknown as JsonObject),
      });
    },
    record: (record: ResourceRecord) => print({ schema: "wfctl/record/1", record: record as unknown as JsonObject }),
    outputs: (values) => print({ schema: "wfctl/outputs/1", outputs: values }),
    lease: (facts) => print({ schema: "wfctl/lease/1", ...(facts as unknown as JsonObject) }),
    audit: (facts) =>
      print({
        schema: "wfctl/audit/1",
        location: facts.location,
        records: facts.records,
        findings: facts.findings.map((finding) => ({ ...finding })),
      }),
    doctor: (facts) =>
      print({
        schema: "wfctl/doctor/1",
        location: facts.location,
        findings: facts.findings.map((finding) => ({ ...finding })),
        repaired: facts.repaired.map((finding) => ({ ...finding })),
      }),
    changed: (facts) => print({ schema: "wfctl/changed/1", ...facts }),
    error: (error) => print(errorToJson(WfctlError.from(error))),
    close: () => clearInterval(timer),
  };
}
