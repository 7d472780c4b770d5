import { isMap, isScalar, isSeq, parseDocument, YAMLMap, type Document, type Node, type Pair } from "yaml";
import { createTextWriter, type TextWriter } from "./write-text.ts";
import { commentLines, writeKey, writeNode } from "./write-value.ts";

/** Keys of a resource's module that a program says as options. */
const optionKeys: Readonly<Record<string, string>> = {
  protected: "protected",
  existing: "existing",
  adopt_existing: "adoptExisting",
  dependsOn: "dependsOn",
  lifecycle: "lifecycle",
  timeouts: "timeouts",
  environments: "environments",
};

/** A stack file in YAML as a stack program that gives the same stack. The text has been read without errors before. */
export function convertToProgram(text: string): string {
  const document = parseDocument(text, { version: "1.2", schema: "core", merge: true });
  const root = isMap(document.contents) ? document.contents : new YAMLMap();
  // A comment at the very top is of the whole file.
  const first = root.items[0]?.key as Node | undefined;
  const head = document.commentBefore ?? root.commentBefore ?? first?.commentBefore;
  if (first !== undefined && head === first.commentBefore) first.commentBefore = null;
  const constants = new Map<string, string>();
  const settings: string[] = [];
  let body = "";
  for (const pair of root.items) {
    const key = keyOf(pair);
    if (key === "modules" || key === "outputs" || key === "import") continue;
    const name = key === "on_failure" ? "onFailure" : writeKey(key);
    const before = commentLines((pair.key as Node).commentBefore, "  ");
    settings.push(`${before}  ${name}: ${writeNode(pair.value, document, "  ")},\n`);
  }
  const modules: unknown = root.get("modules", true);
  for (const item of isSeq(modules) ? modules.items : []) {
    body += `${body === "" ? "" : "\n"}${writeModule(item, document, constants)}`;
  }
  const imports: unknown = root.get("import", true);
  const outputs: unknown = root.get("outputs", true);
  const write = createTextWriter(constants);
  for (const [index, item] of (isSeq(imports) ? imports.items : []).entries()) {
    // A comment above the first item is one of the whole list.
    if (index === 0 && isMap(item) && isSeq(imports)) item.commentBefore ??= imports.commentBefore ?? null;
    body += `${index === 0 && body !== "" ? "\n" : ""}${writeImport(item, document, constants, write)}`;
  }
  for (const pair of isMap(outputs) ? outputs.items : []) body += writeOutput(pair, document, write, body === "");
  const top = settings.length === 0 ? "{}" : `{\n${settings.join("")}}`;
  return `${commentLines(head, "")}import { defineStack } from "@wfctl/stack";

export default defineStack(${top}, (stack) => {
${body}});
`;
}

function writeModule(item: unknown, document: Document, constants: Map<string, string>): string {
  const comment = commentLines((item as Node).commentBefore, "  ");
  const text = createTextWriter(constants);
  if (!isMap(item)) return `${comment}  stack.module(${writeNode(item, document, "  ", text)});\n`;
  const fields = new Map(item.items.map((pair) => [keyOf(pair), pair]));
  const name = String(item.get("name"));
  const type = String(item.get("type"));
  const config = fields.get("config")?.value;
  const onlyOptions = [...fields.keys()].every((key) => ["name", "type", "config"].includes(key) || key in optionKeys);
  if (type === "iac.provider" && fields.size <= 3 && isMap(config)) {
    const rest = new YAMLMap();
    rest.items = config.items.filter((pair) => keyOf(pair) !== "provider");
    const provider = config.get("provider");
    const more = rest.items.length === 0 ? "" : `, ${writeNode(rest, document, "  ", text)}`;
    if (typeof provider === "string") {
      return `${comment}  stack.provider(${JSON.stringify(name)}, ${JSON.stringify(provider)}${more});\n`;
    }
  }
  if (!type.startsWith("infra.") || !onlyOptions || (config !== undefined && config !== null && !isMap(config))) {
    return `${comment}  stack.module(${writeNode(item, document, "  ", text)});\n`;
  }
  const options = writeOptions(fields, document, text);
  const configText = isMap(config) && config.items.length > 0 ? writeNode(config, document, "  ", text) : "{}";
  const rest = options !== "" ? `, ${configText}, ${options}` : configText === "{}" ? "" : `, ${configText}`;
  const constant = constantFor(name, constants);
  constants.set(name, constant);
  return `${comment}  const ${constant} = stack.resource(${JSON.stringify(type)}, ${JSON.stringify(name)}${rest});\n`;
}

function writeImport(
  item: unknown,
  document: Document,
  constants: ReadonlyMap<string, string>,
  text: TextWriter,
): string {
  if (!isMap(item)) return "";
  const to = String(item.get("to"));
  const target = constants.get(to) ?? JSON.stringify(to);
  const id = writeNode(item.get("id", true), document, "  ", text);
  return `${commentLines(item.commentBefore, "  ")}  stack.import(${target}, ${id});\n`;
}

function writeOptions(fields: ReadonlyMap<string, Pair>, document: Document, text: TextWriter): string {
  const members: string[] = [];
  for (const [key, pair] of fields) {
    const option = optionKeys[key];
    if (option === undefined || pair.value === null) continue;
    const before = commentLines((pair.key as Node).commentBefore, "    ");
    const written =
      key === "lifecycle" && isMap(pair.value)
        ? writeNode(pair.value, document, "    ", text).replace(/^(\s*)ignore_changes:/m, "$1ignoreChanges:")
        : writeNode(pair.value, document, "    ", text);
    members.push(`${before}    ${option}: ${written},\n`);
  }
  return members.length === 0 ? "" : `{\n${members.join("")}  }`;
}

function writeOutput(pair: Pair, document: Document, text: TextWriter, first: boolean): string {
  const name = JSON.stringify(keyOf(pair));
  const comment = commentLines((pair.key as Node).commentBefore, "  ");
  const lead = first ? "" : "\n";
  const { value } = pair;
  if (!isMap(value)) return `${lead}${comment}  stack.output(${name}, ${writeNode(value, document, "  ", text)});\n`;
  const rest = new YAMLMap();
  rest.items = value.items.filter((member) => keyOf(member) !== "value");
  const options = rest.items.length === 0 ? "" : `, ${writeNode(rest, document, "  ", text)}`;
  return `${lead}${comment}  stack.output(${name}, ${writeNode(value.get("value", true), document, "  ", text)}${options});\n`;
}

const reserved: ReadonlySet<string> = new Set(
  "stack break case catch class const continue debugger default delete do else enum export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof var void while with yield await arguments eval".split(
    " ",
  ),
);

/** `orders-db` becomes `ordersDb`. */
function constantFor(name: string, taken: ReadonlyMap<string, string>): string {
  const words = name.replaceAll(/[^A-Za-z0-9_]+(.)?/g, (_, next: string | undefined) => (next ?? "").toUpperCase());
  const base = /^[A-Za-z_]/.test(words) && !reserved.has(words) ? words : `_${words}`;
  const used = new Set(taken.values());
  let constant = base;
  for (let number = 2; used.has(constant); number += 1) constant = `${base}${number}`;
  return constant;
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}
