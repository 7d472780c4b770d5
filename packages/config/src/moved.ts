import { isJsonObject } from "@wfctl/model";
import { child, type FieldReader } from "./fields.ts";
import type { Names } from "./link.ts";
import type { Reporter } from "./reporter.ts";
import type { Sections } from "./sections.ts";
import { describe } from "./source/describe.ts";
import type { Move } from "./stack.ts";

const moveKeys: ReadonlySet<string> = new Set(["from", "to"]);

/** Reads `moved`. Names are checked where `names` are known. */
export function readMoved(
  sections: Sections,
  names: Names | undefined,
  fields: FieldReader,
  reporter: Reporter,
): Move[] {
  const moves: Move[] = [];
  const sources = new Set<string>();
  for (const { spot, value } of sections.moved) {
    if (!isJsonObject(value)) {
      reporter.report(spot, {
        summary: `An item of "moved" is ${describe(value)}, expected a mapping`,
        hint: "Write {from: old, to: new}",
      });
      continue;
    }
    fields.checkKeys(value, spot, "in moved", moveKeys);
    const from = fields.text(value, spot, "from");
    const to = fields.text(value, spot, "to");
    if (from === undefined || to === undefined || from === "" || to === "") {
      const missing = [...moveKeys].filter(
        (key) => value[key] === undefined || value[key] === null || value[key] === "",
      );
      if (missing.length > 0) {
        reporter.report(spot, {
          summary: `An item of "moved" has no ${missing.join(" and no ")}`,
          hint: "Write {from: old, to: new}",
        });
      }
      continue;
    }
    if (from === to) {
      reporter.report(spot, { summary: `"moved" gives "${from}" its own name`, hint: "Remove the item" });
      continue;
    }
    if (sources.has(from)) {
      reporter.report(child(spot, "from"), { summary: `"moved" moves "${from}" twice`, hint: "Keep one of the two" });
      continue;
    }
    sources.add(from);
    moves.push({ from, to: names?.renamed.get(to) ?? to });
  }
  if (names !== undefined) checkNames(sections, sources, names, reporter);
  return moves;
}

function checkNames(sections: Sections, sources: ReadonlySet<string>, names: Names, reporter: Reporter): void {
  for (const { spot, value } of sections.moved) {
    if (!isJsonObject(value)) continue;
    const { from, to } = value;
    if (typeof from === "string" && from !== to && names.resources.has(from)) {
      reporter.report(child(spot, "from"), {
        summary: `"moved" moves "${from}", which is still a resource of the configuration`,
        hint: "Rename the module, or remove the item",
      });
    }
    if (typeof to !== "string" || to === "" || to === from) continue;
    // A later item may move it on, and an environment may leave it out.
    const known = names.resources.has(to) || names.renamed.has(to) || names.leftOut.has(to) || sources.has(to);
    if (known) continue;
    reporter.report(child(spot, "to"), {
      summary: `"moved" moves to "${to}", expected the name of a resource`,
      hint: reporter.hintFor(to, names.resources.keys(), "No module has this name"),
    });
  }
}
