import { errorCodes, type Outcome, type PlanAction } from "@wfctl/model";
import { advice } from "../advice.ts";
import type { RunFacts } from "../view.ts";
import { toYaml } from "../yaml.ts";
import type { Style } from "./style.ts";
import { alignColumns, count, indent, listCounts, printable, showDuration } from "./text.ts";

/** The end of a run for people: the first error on top, then all that did not succeed, what to do, and one line to sum up. */
export function renderReport(facts: RunFacts, style: Style): string {
  const word = facts.command === "apply" ? "Apply" : "Destroy";
  if (facts.end === "declined") return "Nothing was changed.\n";
  if (facts.report === undefined) return `${word}: nothing to do.${renderUnknownLine(facts)}\n`;
  const blocks: string[] = [];
  const headline = renderHeadline(facts, style);
  if (headline !== undefined) blocks.push(headline);
  const rest = facts.report.outcomes.filter((outcome) => outcome.status !== "SUCCESS");
  if (rest.length > 0) blocks.push(renderOutcomes(rest, facts, style));
  const next = nextSteps(facts);
  if (next.length > 0) blocks.push(next.map((step) => `Next: ${step}`).join("\n"));
  if (facts.outputs !== undefined) blocks.push(`Outputs:\n${indent(toYaml(facts.outputs).trimEnd(), "  ")}`);
  blocks.push(style.strong(summariseRun(facts, word)));
  return `${blocks.join("\n\n")}\n`;
}

function renderHeadline(facts: RunFacts, style: Style): string | undefined {
  const { report } = facts;
  if (report === undefined) return undefined;
  const fatal = report.fatal;
  const first =
    facts.firstFailed === undefined
      ? undefined
      : report.outcomes.find((outcome) => outcome.action === facts.firstFailed);
  if (first?.code !== undefined) {
    const action = actionOf(facts, first);
    const lines = [
      `${style.bad("Error:")} ${style.strong(`${action.kind} of "${printable(action.name)}" (${action.type}) failed`)}: ${printable(first.message ?? "")}`,
      `  why:  ${errorCodes[first.code]} (${first.code})`,
      `  next: ${advice[first.code]}`,
    ];
    if (fatal !== undefined && fatal.code !== first.code)
      lines.push(`  The run stopped: ${printable(fatal.message)} (${fatal.code})`);
    return lines.join("\n");
  }
  if (fatal !== undefined) {
    return [
      `${style.bad("Error:")} ${style.strong(printable(fatal.message))}`,
      `  why:  ${errorCodes[fatal.code]} (${fatal.code})`,
      `  next: ${printable(fatal.hint ?? advice[fatal.code])}`,
    ].join("\n");
  }
  const finalizer = report.finalizeErrors[0];
  if (finalizer === undefined) return undefined;
  return `${style.bad("Error:")} the finalizer of "${printable(finalizer.provider)}" failed: ${printable(finalizer.error)}\n  next: It stays owed; the next run calls it again`;
}

function renderOutcomes(outcomes: readonly Outcome[], facts: RunFacts, style: Style): string {
  const rows = outcomes.map((outcome) => {
    const action = actionOf(facts, outcome);
    return [outcome.status, outcome.code ?? "", action.kind, printable(action.name), printable(whyOf(outcome))];
  });
  const [head = "", ...lines] = alignColumns([["status", "code", "action", "resource", "why"], ...rows]);
  return [style.faint(head), ...lines].map((line) => `  ${line}`).join("\n");
}

function whyOf(outcome: Outcome): string {
  const causes = outcome.causes ?? [];
  const message = outcome.message ?? "";
  if (causes.length === 0) return message;
  const chain = `because of ${causes.join(" ← ")}`;
  return message === "" ? chain : `${message} (${chain})`;
}

function nextSteps(facts: RunFacts): string[] {
  const steps = facts.unknown.map(
    ({ name, why }) =>
      `"${printable(name)}" is unknown (${printable(why)}). Each run looks for it again; to settle it by hand: wfctl state resolve ${printable(name)} --id ID, or --absent`,
  );
  const run = facts.report?.run ?? "";
  if (facts.end === "interrupted") {
    steps.push(`Run "wfctl ${facts.command}" again: it resolves what was in flight and goes on.`);
    if (facts.plan.onFailure === "compensate") steps.push(`To undo the run instead: wfctl compensate ${run}`);
  } else if (facts.end === "failed") {
    steps.push(`Mend the cause and run "wfctl ${facts.command}" again: what succeeded stays and is not repeated.`);
  } else if (facts.end === "compensation_failed") {
    steps.push(`Finish the undo with: wfctl compensate ${run}; --skip NAME leaves a resource as it is.`);
  }
  return steps;
}

/** `Apply succeeded in 12 s: 3 created, 12 unchanged. Run 20250101T000000-1a2b3c.` */
function summariseRun(facts: RunFacts, word: string): string {
  const { report, plan } = facts;
  const outcomes = report?.outcomes ?? [];
  const done = (kinds: (action: PlanAction) => boolean): number =>
    outcomes.filter((outcome) => outcome.status === "SUCCESS" && kinds(actionOf(facts, outcome))).length;
  const withStatus = (...statuses: readonly string[]): number =>
    outcomes.filter((outcome) => statuses.includes(outcome.status)).length;
  const text = listCounts([
    [done((action) => action.kind === "create"), "created"],
    [done((action) => action.kind === "update"), "updated"],
    [done((action) => action.kind === "replace"), "replaced"],
    [done((action) => action.kind === "delete"), "deleted"],
    [done((action) => action.kind === "import"), "imported"],
    [done((action) => action.kind === "adopt" || action.kind === "forget" || action.kind === "read"), "recorded"],
    [withStatus("ERROR", "DELETE_FAILED"), "failed"],
    [withStatus("COMPENSATED"), "undone"],
    [withStatus("COMPENSATION_FAILED"), "not undone"],
    [withStatus("SKIPPED"), "skipped"],
    [plan.unchanged, "unchanged"],
  ]);
  const ends: Readonly<Record<string, string>> = {
    succeeded: "succeeded",
    failed: "failed",
    interrupted: "was interrupted",
    compensated: "failed and was undone",
    compensation_failed: "failed, and its undo failed",
    recovered: "was recovered",
  };
  const unknown =
    facts.unknown.length === 0 ? "" : ` ${count(facts.unknown.length, "resource is", "resources are")} unknown.`;
  const what = text === "" ? "" : `: ${text}`;
  return `${word} ${ends[facts.end] ?? facts.end} in ${showDuration(facts.durationMs)}${what}.${unknown} Run ${report?.run ?? ""}.`;
}

function renderUnknownLine(facts: RunFacts): string {
  if (facts.unknown.length === 0) return "";
  return `\n${nextSteps(facts)
    .map((step) => `Next: ${step}`)
    .join("\n")}`;
}

function actionOf(facts: RunFacts, outcome: Outcome): PlanAction {
  return facts.plan.actions[outcome.action] as PlanAction;
}
