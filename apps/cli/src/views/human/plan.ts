import {
  actionSymbols,
  type ActionKind,
  type Diagnostic,
  type FieldChange,
  type Plan,
  type PlanAction,
  type Value,
} from "@wfctl/model";
import { reservedKeys } from "@wfctl/engine";
import { countActions, orderForReading } from "../action-words.ts";
import type { PlanFacts } from "../view.ts";
import { renderDiagnostics } from "./diagnostics.ts";
import type { Style } from "./style.ts";
import { alignColumns, count, fieldsOf, listCounts, printable, showValue } from "./text.ts";

/** A plan for people: destructive actions first, the one line that counts last. */
export function renderPlan(plan: Plan, facts: PlanFacts, style: Style): string {
  const blocks: string[] = [renderHead(plan)];
  if (facts.diagnostics.length > 0) blocks.push(renderDiagnostics(facts.diagnostics, style));
  const actions = orderForReading(plan.actions);
  for (const action of actions) blocks.push(renderAction(action, plan, style));
  const notes = [...facts.notes, ...plan.notes.map((note) => note.text)];
  if (notes.length > 0) blocks.push(notes.map((note) => `${style.warn("Note:")} ${printable(note)}`).join("\n"));
  blocks.push([...renderTrust(plan), style.strong(summarisePlan(plan, facts.diagnostics))].join("\n"));
  return `${blocks.join("\n\n")}\n`;
}

/** `Plan: 3 to create, 1 to delete, 12 unchanged.` */
export function summarisePlan(plan: Plan, diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error").length;
  const counts = countActions(plan.actions);
  const kinds: readonly (readonly [ActionKind, string])[] = [
    ["create", "to create"],
    ["update", "to update"],
    ["replace", "to replace"],
    ["delete", "to delete"],
    ["adopt", "to take over"],
    ["import", "to import"],
    ["forget", "to forget"],
    ["read", "to read"],
  ];
  const text = listCounts([
    ...kinds.map(([kind, what]) => [counts[kind], what] as const),
    [plan.unchanged, "unchanged"],
  ]);
  if (errors > 0)
    return `Plan: ${text === "" ? "nothing to do" : text}. It cannot run: ${errors} ${errors === 1 ? "error" : "errors"}.`;
  if (plan.actions.length === 0) {
    return plan.unchanged === 0 ? "No changes. There are no resources." : `No changes. ${plan.unchanged} unchanged.`;
  }
  return `Plan: ${text}.`;
}

function renderHead(plan: Plan): string {
  const { name, environment } = plan.stack;
  const rows = plan.providers.map((provider) => [
    provider.module,
    `${provider.name} ${provider.version}`,
    provider.identity === undefined ? "account not told" : printable(provider.identity),
  ]);
  const title = `Stack ${name}, environment ${environment}, state serial ${plan.serial}`;
  return [title, ...alignColumns(rows).map((row) => `  ${row}`)].join("\n");
}

function renderAction(action: PlanAction, plan: Plan, style: Style): string {
  const lines = [renderTitle(action, style)];
  for (const [path, text] of renderFields(action)) lines.push(`      ${path}: ${text}`);
  for (const line of deferredLines(action)) lines.push(style.faint(`      ${line}`));
  for (const reason of action.reasons) lines.push(style.faint(`      because ${printable(reason)}`));
  if (action.undo.undo !== "yes") {
    const what = action.undo.undo === "no" ? "cannot be undone" : "may not be undone";
    lines.push(style.warn(`      ${what}: ${printable(action.undo.why)}`));
    if (plan.onFailure === "compensate" && action.undo.undo === "no") {
      lines.push(style.warn("      the run cannot be undone from here on"));
    }
  } else if (plan.onFailure === "compensate") {
    lines.push(style.faint(`      undo: ${printable(action.undo.how)}`));
  }
  return lines.join("\n");
}

function renderTitle(action: PlanAction, style: Style): string {
  const color =
    action.kind === "delete" || action.kind === "replace"
      ? style.bad
      : action.kind === "create"
        ? style.good
        : style.warn;
  const symbol = color(`  ${actionSymbols[action.kind]} ${action.kind}`);
  const id = action.prior?.providerId ?? action.importId;
  const extra = [
    ...(id === undefined || id === "" || id === action.name ? [] : [`id ${printable(id)}`]),
    ...(action.replaceMode === undefined ? [] : [action.replaceMode]),
    ...(action.deposed === undefined ? [] : ["the old object of a replace"]),
  ];
  return `${symbol} ${style.strong(printable(action.name))} (${action.type})${extra.length === 0 ? "" : `, ${extra.join(", ")}`}`;
}

/** What an action gives or changes, by dotted path. */
export function* renderFields(action: PlanAction): Generator<[string, string]> {
  if (action.kind === "create" && action.desired !== undefined) {
    const { sizing } = action;
    const config = Object.fromEntries(
      Object.entries(action.desired.config).filter(([key]) => !reservedKeys.has(key)),
    ) as { readonly [key: string]: Value };
    for (const [path, value] of fieldsOf(config)) if (path !== "") yield [printable(path), showValue(value)];
    for (const [path, value] of fieldsOf(sizing ?? {})) {
      if (path !== "") yield [printable(path), `${showValue(value)} (from size ${action.desired.size ?? ""})`];
    }
    return;
  }
  for (const change of action.changes) yield [printable(change.path), renderChange(change)];
}

/** What is known only in the run, and what it waits for: one line for each reason. */
export function deferredLines({ deferred = [] }: PlanAction): string[] {
  const groups = new Map<string, string[]>();
  for (const { path, waitsFor, why } of deferred) {
    const key = `${waitsFor}: ${why}`;
    groups.set(key, [...(groups.get(key) ?? []), path]);
  }
  return [...groups].map(
    ([reason, paths]) =>
      `deferred: ${printable(paths.join(", "))} ${paths.length === 1 ? "waits" : "wait"} for ${printable(reason)}`,
  );
}

function renderChange(change: FieldChange): string {
  // A plan has no secret, neither the old one nor the new one.
  const none = change.sensitive === true ? "(sensitive)" : "(not set)";
  const old = change.old === undefined ? none : showValue(change.old);
  const next =
    change.unknown === true ? "(known after apply)" : change.new === undefined ? none : showValue(change.new);
  const from = change.unknown === true && change.old === undefined ? "" : `${old} → `;
  return `${from}${next}${change.forceNew ? " (replaces)" : ""}`;
}

function* renderTrust(plan: Plan): Generator<string> {
  const deferred = plan.actions.reduce((sum, action) => sum + (action.deferred?.length ?? 0), 0);
  if (deferred > 0)
    yield `${count(deferred, "value is", "values are")} known only in the run, which settles ${deferred === 1 ? "it" : "them"}.`;
  if (plan.unchanged === 0 || plan.readAt === undefined) return;
  const { oldest, newest } = plan.readAt;
  yield oldest === newest
    ? `The cloud was last read at ${oldest}.`
    : `The cloud was last read between ${oldest} and ${newest}.`;
}
