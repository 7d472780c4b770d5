import { EVENT_ID, SCALAR_STYLE, type Event, type ScalarEvent } from "js-yaml";
import { readPlainScalar } from "./scalar.ts";

/** Where a scalar begins as a reader sees it: at its quote, or at its first block line's text. */
export function scalarStart(event: ScalarEvent): number {
  if (event.valueStart < 0) return event.valueStart;
  if (event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED)
    return event.valueStart - 1;
  if (event.style === SCALAR_STYLE.PLAIN) return event.valueStart;
  return event.valueStart + Math.max(0, event.indent);
}

/** The value of a scalar by its style and tag. */
export function readScalar(text: string, source: string, event: ScalarEvent): ReturnType<typeof readPlainScalar> {
  if (event.tagStart < 0) return event.style === SCALAR_STYLE.PLAIN ? readPlainScalar(source) : { value: source };
  const tag = text.slice(event.tagStart, event.tagEnd);
  if (tag === "!" || tag === "!!str") return { value: source };
  if (tag === "!!int" || tag === "!!float" || tag === "!!bool" || tag === "!!null") return readPlainScalar(source);
  return { value: source, problem: `The tag ${tag} is not known`, hint: "Leave the tag out, or use !!str" };
}

/** What is wrong with the tag of a list or mapping. */
export function checkCollectionTag(text: string, event: Extract<Event, { start: number }>): string | undefined {
  if (event.tagStart < 0) return undefined;
  const tag = text.slice(event.tagStart, event.tagEnd);
  if (tag === (event.type === EVENT_ID.MAPPING ? "!!map" : "!!seq")) return undefined;
  return `The tag ${tag} is not known`;
}

/** Where the first document separator after an offset is. */
export function secondDocumentOffset(text: string, after: number): number {
  const separator = /^---(?=\s|$)/gm;
  separator.lastIndex = after;
  return separator.exec(text)?.index ?? after;
}
