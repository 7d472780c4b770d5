import { relative, isAbsolute } from "node:path";
import { getScalarValue, parseEvents, YAMLException } from "js-yaml";
import type { Json, SourceLocation } from "@wfctl/model";
import { constructDocument, maxDepth, type ConstructedDocument } from "./construct.ts";
import { findLineStarts, positionAt } from "./lines.ts";
import { childPlace, indexPlaces, type PlaceNode } from "./place-index.ts";
import { readSyntaxErrors } from "./syntax-errors.ts";

export type Path = readonly (string | number)[];

/** A problem of the text itself, before anything is known of its meaning. */
export interface SourceProblem {
  readonly location: SourceLocation;
  readonly path: Path;
  readonly summary: string;
  readonly hint: string;
}

/** Which part of a value a place is: its key, or a stretch of its text. */
export interface PlacePart {
  readonly key?: boolean;
  /** A `${` at this offset of the text, or 0. */
  readonly text?: {
    readonly value: string;
    readonly offset: number;
    /** From there on, where it is written as it is. */ readonly within?: number;
  };
}

/** One YAML file: its value, and where each part of it is written. */
export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  /** As diagnostics name it: relative to the working folder where it lies inside. */
  readonly label: string;
  /** Undefined where the file is empty or cannot be read as YAML. */
  readonly value: Json | undefined;
  readonly problems: readonly SourceProblem[];
  /** False where the file is not YAML at all, so that nothing can be said of what it leaves out. */
  readonly parsed: boolean;
  /** The place of a path, or of the longest part of it that exists. */
  locate(path: Path, part?: PlacePart): SourceLocation;
  /** True where the path leads to something written. */
  has(path: Path): boolean;
  /** Place of an item in a list under a top-level key, without building the index of places. */
  locateItem(key: string, index: number): SourceLocation;
}

/** Reads YAML text. Never throws for what the text holds. */
export async function readSource(path: string, cwd: string, content: string): Promise<SourceFile> {
  const text = content.startsWith("\uFEFF") ? content.slice(1) : content;
  const label = labelPath(path, cwd);
  let lineStarts: number[] | undefined;
  const at = (offset: number): SourceLocation => {
    lineStarts ??= findLineStarts(text);
    return { file: label, ...positionAt(lineStarts, offset) };
  };

  let document: ConstructedDocument = { value: undefined, problems: [], itemStarts: new Map() };
  let parsed = true;
  const problems: SourceProblem[] = [];
  try {
    document = constructDocument(text, parseEvents(text, { maxDepth }));
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    parsed = false;
    for (const { offset, ...problem } of await readSyntaxErrors(text, error)) {
      problems.push({ location: at(offset), path: [], ...problem });
    }
  }

  let places: PlaceNode | undefined;
  const find = (wanted: Path): { node: PlaceNode | undefined; depth: number } => {
    // Parsed again rather than kept: events take twenty times the room of the text, and a good file needs none.
    if (parsed) places ??= indexPlaces(text, parseEvents(text, { maxDepth }));
    let node = places;
    let depth = 0;
    for (const step of wanted) {
      const next = node === undefined ? undefined : childPlace(node, step);
      if (next === undefined) break;
      node = next;
      depth += 1;
    }
    return { node, depth };
  };
  const locate = (wanted: Path, part: PlacePart = {}): SourceLocation => {
    const { node, depth } = find(wanted);
    if (node === undefined) return parsed ? at(0) : { file: label };
    if (depth < wanted.length) return at(node.start);
    if (part.key === true) return at(node.keyStart ?? node.start);
    if (part.text !== undefined) return at(findInText(text, node, part.text));
    return at(node.start);
  };

  for (const problem of document.problems) {
    const summary =
      problem.repeats === true ? `${problem.summary} ${show(locate(problem.path, { key: true }))}` : problem.summary;
    problems.push({ location: at(problem.offset), path: problem.path, summary, hint: problem.hint });
  }
  return {
    path,
    label,
    value: document.value,
    problems,
    parsed,
    locate,
    has: (wanted) => find(wanted).depth === wanted.length,
    locateItem: (key, index) => at(document.itemStarts.get(key)?.[index] ?? 0),
  };
}

/** `file:line:column`, as far as known. */
export function show(location: SourceLocation): string {
  return [location.file, location.line, location.column].filter((part) => part !== undefined).join(":");
}

export function labelPath(path: string, cwd: string): string {
  const inside = relative(cwd, path);
  return inside === "" || inside.startsWith("..") || isAbsolute(inside) ? path : inside;
}

/** The n-th `${` of a value is the n-th of its source: escapes and folding leave it as it is. */
function findInText(
  text: string,
  node: PlaceNode,
  wanted: { readonly value: string; readonly offset: number; readonly within?: number },
): number {
  const scalar = (node.target ?? node).scalar;
  if (node.target !== undefined || scalar === undefined || scalar.valueStart < 0) return node.start;
  if (!wanted.value.startsWith("${", wanted.offset) || getScalarValue(text, scalar) !== wanted.value) return node.start;
  const before = wanted.value.slice(0, wanted.offset).split("${").length;
  let offset = scalar.valueStart - 1;
  for (let count = 0; count < before; count += 1) {
    offset = text.indexOf("${", offset + 1);
    if (offset < 0 || offset >= scalar.valueEnd) return node.start;
  }
  const within = wanted.within ?? 0;
  const asWritten = wanted.value.slice(wanted.offset, wanted.offset + within);
  return text.startsWith(asWritten, offset) ? offset + within : offset;
}
