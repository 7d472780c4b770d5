import { Document, isMap, isSeq, type Node, type YAMLSeq } from "yaml";
import { isJsonObject, type JsonObject } from "@wfctl/model";
import type { ProgramPlace } from "../program/protocol.ts";

export const lineWidth = 120;

/**
 * The document of a stack program as a stack file in YAML. Lines of comment directly above a declaration, and the ones at
 * the head of the program, are kept.
 */
export function convertToYaml(
  document: JsonObject,
  places: readonly (ProgramPlace | null)[],
  program: { readonly path: string; readonly text: string },
): string {
  const result = new Document(document, { version: "1.2", schema: "core", aliasDuplicateObjects: false });
  const lines = program.text.split("\n");
  const modules: unknown = result.get("modules", true);
  if (isSeq(modules)) {
    for (const [index, item] of (modules as YAMLSeq).items.entries()) {
      const place = places[index];
      if (place === null || place === undefined || place.file !== program.path) continue;
      const comment = commentAbove(lines, place.line - 1);
      if (comment !== "") (item as Node).commentBefore = comment;
      if (index > 0) (item as Node).spaceBefore = true;
      flowSmall(item);
    }
  }
  const head = commentAbove(
    lines,
    lines.findIndex((line) => line !== "" && !line.startsWith("//")),
  );
  if (head !== "") result.commentBefore = head;
  return result.toString({ lineWidth, flowCollectionPadding: false });
}

/** Comment lines that end right above a line. */
function commentAbove(lines: readonly string[], below: number): string {
  const comment: string[] = [];
  for (let index = below - 1; index >= 0; index -= 1) {
    const match = /^\s*\/\/(.*)$/.exec(lines[index] ?? "");
    if (match === null) break;
    comment.unshift(match[1] ?? "");
  }
  return comment.join("\n");
}

/** Small mappings without mappings inside stand on one line, as people write them. */
export function flowSmall(node: unknown): void {
  if (!isMap(node)) return;
  for (const { value } of node.items) {
    if (
      isMap(value) &&
      value.items.length <= 3 &&
      value.items.every((pair) => !isMap(pair.value) && !isSeq(pair.value))
    ) {
      const size = JSON.stringify(value.toJSON()).length;
      if (size < 70) value.flow = true;
    } else flowSmall(value);
  }
}

export function asDocument(value: unknown): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}
