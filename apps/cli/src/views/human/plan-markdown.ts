import { actionSymbols, type Plan, type PlanAction } from "@wfctl/model";
import { orderForReading } from "../action-words.ts";
import type { PlanFacts } from "../view.ts";
import { showPlace } from "./diagnostics.ts";
import { deferredLines, renderFields, summarisePlan } from "./plan.ts";
import { printable } from "./text.ts";

/** A plan for a pull request: a table, and what each action changes folded away below it. */
export function renderPlanMarkdown(plan: Plan, facts: PlanFacts): string {
  const { name, environment } = plan.stack;
  const blocks = [`### Plan of ${cell(name)}, environment ${cell(environment)}`];
  blocks.push(`**${summarisePlan(plan, facts.diagnostics)}**`);
  const actions = orderForReading(plan.actions);
  if (actions.length > 0) {
    const rows = actions.map((action) => {
      const undo = action.undo.undo === "yes" ? "yes" : `${action.undo.undo}: ${action.undo.why}`;
      return `| ${actionSymbols[action.kind]} ${action.kind} | ${cell(action.name)} | ${cell(action.type)} | ${cell(action.reasons.join("; "))} | ${cell(undo)} |`;
    });
    blocks.push(["| action | resource | type | because | undo |", "|---|---|---|---|---|", ...rows].join("\n"));
    blocks.push(...actions.flatMap(renderDetails));
  }
  for (const diagnostic of facts.diagnostics) {
    const place = diagnostic.source === undefined ? "" : `\`${showPlace(diagnostic.source)}\` `;
    blocks.push(`- ${diagnostic.severity}: ${place}${cell(diagnostic.summary)} (${diagnostic.code})`);
  }
  const notes = [...facts.notes, ...plan.notes.map((note) => note.text)];
  if (notes.length > 0) blocks.push(notes.map((note) => `> ${cell(note)}`).join("\n>\n"));
  return `${blocks.join("\n\n")}\n`;
}

function renderDetails(action: PlanAction): string[] {
  const fields = [...renderFields(action)].map(([path, text]) => `${path}: ${text}`);
  const all = [...fields, ...deferredLines(action)];
  if (all.length === 0) return [];
  const lines = all.join("\n");
  return [
    `<details><summary>${actionSymbols[action.kind]} ${cell(action.name)}</summary>\n\n${fence(lines)}\n\n</details>`,
  ];
}

/** A fence longer than any that is inside. */
function fence(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const ticks = "`".repeat(longest + 1);
  return `${ticks}\n${text}\n${ticks}`;
}

function cell(text: string): string {
  return printable(text)
    .replaceAll(/[\\|`<>*_]/g, (character) => `\\${character}`)
    .replaceAll("\n", " ");
}
