import { expressionsIn, isJsonObject, referencesIn, valueToText, type ImportRequest, type Value } from "@wfctl/model";
import { child, type FieldReader } from "./fields.ts";
import type { Names } from "./link.ts";
import type { Reporter, Spot } from "./reporter.ts";
import type { Sections } from "./sections.ts";
import { describe } from "./source/describe.ts";
import type { ValueReader } from "./variables/value-reader.ts";

const importKeys: ReadonlySet<string> = new Set(["to", "id"]);
const otherKeys = new Map([
  ["name", 'Write "to"'],
  ["from", 'Write "id"'],
  ["type", "The type is that of the resource: leave it out"],
  ["provider", "The provider is that of the resource: leave it out"],
]);
const example = 'Write {to: name, id: "…"}';

interface Reading {
  readonly values: ValueReader;
  readonly fields: FieldReader;
  readonly reporter: Reporter;
}

/** Reads `import`. Names are checked where `names` are known. */
export function readImportRequests(
  sections: Pick<Sections, "objects">,
  names: Names | undefined,
  reading: Reading,
): ImportRequest[] {
  const { fields, reporter } = reading;
  const requests: ImportRequest[] = [];
  const taken = new Set<string>();
  for (const { spot, value } of sections.objects) {
    if (!isJsonObject(value)) {
      const file = typeof value === "string" && /\.(ya?ml|[cm]?[jt]s)$/.test(value);
      reporter.report(spot, {
        summary: `An item of "import" is ${describe(value)}, expected a mapping`,
        hint: file ? `${example}; files to read stand under imports:` : example,
      });
      continue;
    }
    fields.checkKeys(value, spot, "in import", importKeys, otherKeys);
    const to = fields.text(value, spot, "to");
    const missing = [...importKeys].filter(
      (key) => value[key] === undefined || value[key] === null || value[key] === "",
    );
    if (missing.length > 0) {
      reporter.report(spot, {
        summary: `An item of "import" has no ${missing.join(" and no ")}`,
        hint: example,
      });
      continue;
    }
    const id = readId(value["id"] as Value, child(spot, "id"), reading);
    if (to === undefined) continue;
    const name = names?.renamed.get(to) ?? to;
    if (names !== undefined && !checkTarget(name, to, child(spot, "to"), names, reporter)) continue;
    if (taken.has(name)) {
      reporter.report(child(spot, "to"), {
        summary: `"import" has "${to}" twice`,
        hint: "A resource is one object: keep one of the two",
      });
      continue;
    }
    taken.add(name);
    if (id !== undefined) requests.push({ to: name, id, source: spot.file.locate(spot.path) });
  }
  return requests;
}

/** An id is shown and recorded in clear, and needed when the plan is made: text, with variables that are no secret. */
function readId(written: Value, spot: Spot, { values, fields, reporter }: Reading): string | undefined {
  // The loader refuses numbers that are not what is written.
  if (Number.isSafeInteger(written)) return valueToText(written);
  if (typeof written !== "string") {
    fields.text({ id: written }, { file: spot.file, path: spot.path.slice(0, -1) }, "id");
    return undefined;
  }
  const value = values.read(written, spot);
  const references = [...expressionsIn(value)].flatMap(([, expression]) => [...referencesIn(expression)]);
  if (references.length > 0) {
    if (references.some((part) => "env" in part && reporter.absentVariables.has(part.env))) return undefined;
    reporter.report(spot, {
      summary: '"id" is a reference, expected text: it is needed when the plan is made, and shown in it',
      hint: "Write the id itself, or ${var.NAME} with a variable that is not sensitive",
    });
    return undefined;
  }
  if (typeof value === "string" || typeof value === "number") return valueToText(value);
  reporter.report(spot, { summary: `"id" is ${describe(value)}, expected text`, hint: 'Write id: "…"' });
  return undefined;
}

/** True where the resource is there and can be imported. */
function checkTarget(name: string, written: string, spot: Spot, names: Names, reporter: Reporter): boolean {
  const draft = names.resources.get(name);
  if (draft === undefined) {
    // In another environment it is there.
    if (names.leftOut.has(name)) return false;
    reporter.report(spot, {
      summary: `"import" names "${written}", expected the name of a resource`,
      hint: reporter.hintFor(written, names.resources.keys(), "No module has this name: write the resource first"),
    });
    return false;
  }
  if (!draft.entry.type.startsWith("infra.")) {
    reporter.report(spot, {
      summary: `"${written}" is a generated secret, which cannot be imported`,
      hint: "A value that its store holds already is kept",
    });
    return false;
  }
  if (draft.entry.value["existing"] === true) {
    reporter.report(spot, {
      summary: `"${written}" is "existing: true": it is only read, and cannot be imported`,
      hint: 'Remove the item, or "existing"',
    });
    return false;
  }
  return true;
}
