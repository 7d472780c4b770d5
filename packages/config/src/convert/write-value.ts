import { isAlias, isMap, isScalar, isSeq, type Document, type Node, type Pair } from "yaml";
import type { Json } from "@wfctl/model";
import { writeText, type TextWriter } from "./write-text.ts";

/** YAML as an expression of TypeScript, comments included. Anchors are written out where they are used. */
export function writeNode(
  node: unknown,
  document: Document,
  indent: string,
  text: TextWriter = (value) => JSON.stringify(value),
): string {
  if (isMap(node) && !node.items.some(isMerge)) {
    if (node.items.length === 0) return "{}";
    const inner = `${indent}  `;
    const members = node.items.map((pair) => {
      const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
      const before = commentLines(commentBefore(pair), inner);
      const value = writeNode(pair.value, document, inner, text);
      return `${before}${inner}${writeKey(key)}: ${value},${trailing(pair.value)}\n`;
    });
    return `{\n${members.join("")}${indent}}`;
  }
  if (isSeq(node)) {
    if (node.items.length === 0) return "[]";
    const inner = `${indent}  `;
    const items = node.items.map((item) => {
      const before = commentLines((item as Node).commentBefore, inner);
      return `${before}${inner}${writeNode(item, document, inner, text)},${trailing(item)}\n`;
    });
    const short = `[${node.items.map((item) => writeNode(item, document, indent, text)).join(", ")}]`;
    const plain = node.items.every((item) => isScalar(item) && !item.comment && !item.commentBefore);
    return plain && short.length < 80 ? short : `[\n${items.join("")}${indent}]`;
  }
  if (isScalar(node) || isAlias(node) || isMap(node)) {
    return writeJson(node.toJS(document) as Json, indent, text);
  }
  return "null";
}

function writeJson(value: Json, indent: string, text: TextWriter = writeText): string {
  if (typeof value === "string") return text(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return value.length === 0
      ? "[]"
      : `[\n${value.map((item: Json) => `${inner}${writeJson(item, inner, text)},\n`).join("")}${indent}]`;
  }
  const members = Object.entries(value);
  if (members.length === 0) return "{}";
  return `{\n${members
    .map(([key, member]) => `${inner}${writeKey(key)}: ${writeJson(member as Json, inner, text)},\n`)
    .join("")}${indent}}`;
}

export function writeKey(key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) && key !== "__proto__" ? key : JSON.stringify(key);
}

/** A comment of YAML as lines of comment above something. */
export function commentLines(comment: string | null | undefined, indent: string): string {
  if (comment === null || comment === undefined || comment === "") return "";
  return comment
    .split("\n")
    .map((line) => (line === "" ? "\n" : `${indent}//${line}\n`))
    .join("");
}

function commentBefore(pair: Pair): string | null | undefined {
  return (
    (pair.key as Node | null)?.commentBefore ??
    (isMap(pair.value) || isSeq(pair.value) ? pair.value.commentBefore : undefined)
  );
}

function trailing(node: unknown): string {
  const comment = (node as Node | null)?.comment;
  return comment === null || comment === undefined || comment === "" || isMap(node) || isSeq(node)
    ? ""
    : ` //${comment.split("\n")[0] ?? ""}`;
}

function isMerge(pair: Pair): boolean {
  if (!isScalar(pair.key)) return false;
  const { value } = pair.key;
  return value === "<<" || (typeof value === "symbol" && value.description === "<<");
}
