import type { Context } from "../../context.ts";
import { toShellVariables } from "../shell.ts";
import type { View } from "../view.ts";
import { toYaml } from "../yaml.ts";
import { renderAudit } from "./audit.ts";
import { renderCompensation } from "./compensation.ts";
import { renderDiagnostics } from "./diagnostics.ts";
import { renderError } from "./error.ts";
import { renderPlan } from "./plan.ts";
import { renderPlanMarkdown } from "./plan-markdown.ts";
import { createProgress } from "./progress.ts";
import { renderRecovery } from "./recovery.ts";
import { renderReport } from "./report.ts";
import { renderDoctor, renderLease, renderRecord, renderRecords, renderStatus } from "./state.ts";
import { createStyle } from "./style.ts";
import { printable } from "./text.ts";

export interface HumanViewOptions {
  readonly markdown?: boolean;
  readonly outputFormat?: "yaml" | "env" | "json";
  readonly now?: () => number;
}

/** Results go to standard output, all that is beside the result to standard error. */
export function createHumanView(context: Context, options: HumanViewOptions = {}): View {
  const { stdout, stderr } = context;
  const style = createStyle(context.color);
  const errorStyle = createStyle(context.color && stderr.isTerminal);
  const progress = createProgress(stdout, style, options.now ?? Date.now);
  let timer: NodeJS.Timeout | undefined;
  const beside = (text: string): void => {
    progress.clear();
    stderr.write(text);
  };
  return {
    notice: (text) => beside(`${printable(text)}\n`),
    waiting: (text) => beside(`${printable(text)}\n`),
    warnings(diagnostics) {
      if (diagnostics.length > 0) beside(`${renderDiagnostics(diagnostics, errorStyle)}\n`);
    },
    plan(plan, facts) {
      stdout.write(options.markdown === true ? renderPlanMarkdown(plan, facts) : renderPlan(plan, facts, style));
    },
    event(event) {
      if (timer === undefined && event.event !== "run-closed") {
        timer = setInterval(() => progress.tick(), 1000);
        timer.unref();
      }
      progress.event(event);
    },
    recovery(report) {
      if (report.runs.length === 0 && report.resolved.length === 0 && report.unknown.length === 0) return;
      progress.line(renderRecovery(report));
    },
    run(facts) {
      progress.clear();
      stdout.write(`${facts.report === undefined ? "" : "\n"}${renderReport(facts, style)}`);
    },
    compensation(facts) {
      progress.clear();
      stdout.write(renderCompensation(facts));
    },
    status: (facts) => stdout.write(renderStatus(facts, style)),
    records: (facts) => stdout.write(renderRecords(facts, style)),
    record: (record) => stdout.write(renderRecord(record)),
    outputs(values) {
      if (options.outputFormat === "env") stdout.write(toShellVariables(values));
      else if (options.outputFormat === "json") stdout.write(`${JSON.stringify(values, undefined, 2)}\n`);
      else stdout.write(toYaml(values));
    },
    lease: (facts) => stdout.write(renderLease(facts)),
    audit: (facts) => stdout.write(renderAudit(facts)),
    doctor: (facts) => stdout.write(renderDoctor(facts, style)),
    changed: (facts) => stdout.write(`${printable(facts.text)}\n`),
    error(error) {
      beside(renderError(error, errorStyle, { stack: error.code === "INTERNAL" || wantsStack(context) }));
    },
    close() {
      clearInterval(timer);
      progress.clear();
    },
  };
}

function wantsStack(context: Context): boolean {
  return (context.env["WFCTL_DEBUG"] ?? "") !== "";
}
