import { Document, isMap, isScalar, isSeq, type Node } from "yaml";
import type { ImportRequest, JsonObject } from "@wfctl/model";
import { flowSmall, lineWidth } from "./to-yaml.ts";

/** A resource as a stack file says it. */
export interface WrittenResource {
  readonly name: string;
  readonly type: string;
  /** As it is to be written: see `escapeText`. */
  readonly config: JsonObject;
}

/** A file to be named under `imports` of a stack: resources, and the objects that they are. */
export function writeStackPart(part: {
  /** Lines of comment at the top, without marks. */
  readonly head: readonly string[];
  readonly resources: readonly WrittenResource[];
  readonly imports: readonly Pick<ImportRequest, "to" | "id">[];
}): string {
  const modules = part.resources.map(({ name, type, config }) =>
    Object.keys(config).length === 0 ? { name, type } : { name, type, config },
  );
  const document = new Document(
    { modules, ...(part.imports.length === 0 ? {} : { import: part.imports.map(({ to, id }) => ({ to, id })) }) },
    { version: "1.2", schema: "core", aliasDuplicateObjects: false },
  );
  for (const [index, item] of itemsOf(document.get("modules", true)).entries()) {
    if (index > 0) item.spaceBefore = true;
    flowSmall(item);
  }
  for (const item of itemsOf(document.get("import", true))) if (isMap(item)) item.flow = true;
  for (const pair of isMap(document.contents) ? document.contents.items.slice(1) : []) {
    if (isScalar(pair.key)) pair.key.spaceBefore = true;
  }
  document.commentBefore = part.head.map((line) => ` ${line}`).join("\n");
  return document.toString({ lineWidth, flowCollectionPadding: false });
}

function itemsOf(value: unknown): Node[] {
  return isSeq(value) ? (value.items as Node[]) : [];
}
