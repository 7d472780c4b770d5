import { EVENT_ID, getScalarValue, SCALAR_STYLE, type Event } from "js-yaml";
import type { Json } from "@wfctl/model";
import { describe } from "./describe.ts";
import { checkCollectionTag, readScalar, scalarStart, secondDocumentOffset } from "./event-text.ts";

/** What is wrong with a document that is well-formed YAML, at an offset of the text. */
export interface DocumentProblem {
  readonly offset: number;
  readonly path: readonly (string | number)[];
  readonly summary: string;
  readonly hint: string;
  /** Names the place of an earlier entry that this one repeats: the summary ends in "first at". */
  readonly repeats?: boolean;
}

export interface ConstructedDocument {
  /** Undefined where the text holds no value. Parts that aliases repeat are shared: never change the tree. */
  readonly value: Json | undefined;
  readonly problems: readonly DocumentProblem[];
  /** Offsets of the items of each list directly under a top-level key. */
  readonly itemStarts: ReadonlyMap<string, readonly number[]>;
}

/** Nodes that aliases may add to any document; larger ones may add ten times their own. Small text cannot grow huge trees. */
const maxAliasedNodes = 1_000_000;

/** Deepest nesting of collections, aliases followed. What reads the tree later may recurse. */
export const maxDepth = 200;

/** Keys that would be misread by what comes later. */
const refusedKeys = new Map([
  ["$expr", "the name is reserved for expressions"],
  ["__proto__", "the name has a meaning of its own in JavaScript"],
]);

interface Anchor {
  readonly value: Json;
  readonly nodes: number;
  /** Levels of collections in the value. */
  readonly depth: number;
  readonly complete: boolean;
}

interface MappingFrame {
  readonly kind: "mapping";
  readonly value: Record<string, Json>;
  /** Undefined while a key is awaited; `null` where the key was refused and its value is dropped. */
  key: string | null | undefined;
  merge: boolean;
  /** Keys that came from a merge and may still be set. */
  merged: Set<string> | undefined;
  nodes: number;
  depth: number;
  readonly start: number;
  readonly anchor: string | undefined;
}

interface SequenceFrame {
  readonly kind: "sequence";
  readonly value: Json[];
  readonly starts: number[] | undefined;
  nodes: number;
  depth: number;
  readonly start: number;
  readonly anchor: string | undefined;
}

type Frame = MappingFrame | SequenceFrame;

/** Builds the JSON value of the first document from parser events. Linear in events plus merged keys. */
export function constructDocument(text: string, events: readonly Event[]): ConstructedDocument {
  const problems: DocumentProblem[] = [];
  const frames: Frame[] = [];
  const anchors = new Map<string, Anchor>();
  const itemStarts = new Map<string, readonly number[]>();
  let root: Json | undefined;
  let aliasedNodes = 0;
  let overBudget = false;
  const budget = Math.max(maxAliasedNodes, 10 * events.length);

  const path = (): (string | number)[] =>
    frames
      .map((frame) => (frame.kind === "sequence" ? frame.value.length : (frame.key ?? "")))
      .filter((step) => step !== "");
  const report = (offset: number, summary: string, hint: string, repeats = false): void => {
    problems.push({ offset, path: path(), summary, hint, ...(repeats ? { repeats } : {}) });
  };

  const spend = (nodes: number, offset: number): boolean => {
    aliasedNodes += nodes;
    if (aliasedNodes <= budget) return true;
    if (!overBudget) {
      overBudget = true;
      report(offset, `Aliases repeat more than ${budget} values`, "Write out what is repeated, or split the file");
    }
    return false;
  };

  const mergeInto = (frame: MappingFrame, source: Json, offset: number): void => {
    if (overBudget) return;
    const sources = Array.isArray(source) ? (source as readonly Json[]) : [source];
    for (const item of sources) {
      if (item === null || typeof item !== "object" || Array.isArray(item)) {
        report(
          offset,
          `The merge key << needs a mapping or a list of mappings, found ${describe(item)}`,
          "Give it an alias of a mapping, such as <<: *defaults",
        );
        return;
      }
      for (const [key, member] of Object.entries(item)) {
        if (Object.hasOwn(frame.value, key)) continue;
        frame.value[key] = member;
        (frame.merged ??= new Set()).add(key);
      }
    }
  };

  const acceptKey = (frame: MappingFrame, key: Json, offset: number): void => {
    if (typeof key !== "string") {
      const written = key === null ? "An empty key" : `The key ${JSON.stringify(key)}`;
      report(offset, `${written} is ${describe(key)}, expected text`, `Write it in quotes`);
      frame.key = null;
      return;
    }
    const refused = refusedKeys.get(key);
    if (refused !== undefined) {
      report(offset, `The key "${key}" cannot be used: ${refused}`, "Choose another key");
      frame.key = null;
      return;
    }
    if (Object.hasOwn(frame.value, key) && !frame.merged?.has(key)) {
      frame.key = key;
      report(offset, `The key "${key}" is there twice, first at`, "Keep one of the two", true);
      frame.key = null;
      return;
    }
    frame.key = key;
  };

  const add = (value: Json, nodes: number, depth: number, offset: number, isMergeKey: boolean): void => {
    const frame = frames.at(-1);
    if (frame === undefined) {
      root = value;
      return;
    }
    frame.nodes += nodes;
    frame.depth = Math.max(frame.depth, depth + 1);
    if (frame.kind === "sequence") {
      frame.starts?.push(offset);
      frame.value.push(value);
    } else if (frame.key === undefined) {
      frame.merge = isMergeKey;
      if (isMergeKey) frame.key = null;
      else acceptKey(frame, value, offset);
    } else {
      if (frame.merge) mergeInto(frame, value, offset);
      else if (frame.key !== null) {
        frame.value[frame.key] = value;
        frame.merged?.delete(frame.key);
      }
      frame.key = undefined;
      frame.merge = false;
    }
  };

  let documents = 0;
  let lastOffset = 0;
  for (const event of events) {
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        documents += 1;
        if (documents === 2) {
          report(
            secondDocumentOffset(text, lastOffset),
            "The file holds several YAML documents, expected one",
            "Put each stack into a file of its own and join them with imports",
          );
        }
        break;
      case EVENT_ID.SCALAR: {
        const offset = event.valueStart >= 0 ? scalarStart(event) : lastOffset;
        lastOffset = offset;
        if (documents > 1) break;
        const source = getScalarValue(text, event);
        const reading = readScalar(text, source, event);
        if ("problem" in reading) report(offset, reading.problem, reading.hint);
        if (event.anchorStart >= 0) {
          anchors.set(text.slice(event.anchorStart, event.anchorEnd), {
            value: reading.value,
            nodes: 1,
            depth: 0,
            complete: true,
          });
        }
        const isMergeKey =
          source === "<<" && event.style === SCALAR_STYLE.PLAIN && event.tagStart < 0 && isAwaitingKey(frames.at(-1));
        add(reading.value, 1, 0, offset, isMergeKey);
        break;
      }
      case EVENT_ID.SEQUENCE:
      case EVENT_ID.MAPPING: {
        lastOffset = event.start;
        if (documents > 1) break;
        const tagProblem = checkCollectionTag(text, event);
        if (tagProblem !== undefined) report(event.start, tagProblem, "Leave the tag out");
        const anchor = event.anchorStart >= 0 ? text.slice(event.anchorStart, event.anchorEnd) : undefined;
        const parent = frames.at(-1);
        let frame: Frame;
        if (event.type === EVENT_ID.MAPPING) {
          frame = {
            kind: "mapping",
            value: {},
            key: undefined,
            merge: false,
            merged: undefined,
            nodes: 1,
            depth: 1,
            start: event.start,
            anchor,
          };
        } else {
          const listed =
            frames.length === 1 && parent?.kind === "mapping" && typeof parent.key === "string" && !parent.merge;
          const starts: number[] | undefined = listed ? [] : undefined;
          if (listed && starts !== undefined) itemStarts.set(parent.key as string, starts);
          frame = { kind: "sequence", value: [], starts, nodes: 1, depth: 1, start: event.start, anchor };
        }
        if (parent?.kind === "sequence" && parent.starts !== undefined) parent.starts.push(event.start);
        if (anchor !== undefined) anchors.set(anchor, { value: frame.value, nodes: 0, depth: 0, complete: false });
        frames.push(frame);
        break;
      }
      case EVENT_ID.ALIAS: {
        const offset = event.anchorStart - 1;
        lastOffset = offset;
        if (documents > 1) break;
        const name = text.slice(event.anchorStart, event.anchorEnd);
        const anchor = anchors.get(name);
        if (anchor === undefined) {
          report(offset, `The alias *${name} has no anchor before it`, `Mark what it stands for with &${name}`);
          add(null, 1, 0, offset, false);
        } else if (!anchor.complete) {
          report(offset, `The alias *${name} stands inside what it stands for`, "Write the value out");
          add(null, 1, 0, offset, false);
        } else if (frames.length + anchor.depth > maxDepth) {
          report(
            offset,
            `The alias *${name} makes collections nest deeper than ${maxDepth} levels`,
            "Nest less deeply",
          );
          add(null, 1, 0, offset, false);
        } else {
          add(spend(anchor.nodes, offset) ? anchor.value : null, anchor.nodes, anchor.depth, offset, false);
        }
        break;
      }
      case EVENT_ID.POP: {
        const frame = documents > 1 ? undefined : frames.pop();
        if (frame === undefined) break;
        if (frame.anchor !== undefined) {
          anchors.set(frame.anchor, { value: frame.value, nodes: frame.nodes, depth: frame.depth, complete: true });
        }
        const parent = frames.at(-1);
        // The start of a collection was noted when it began.
        if (parent?.kind === "sequence") {
          parent.nodes += frame.nodes;
          parent.depth = Math.max(parent.depth, frame.depth + 1);
          parent.value.push(frame.value);
        } else add(frame.value, frame.nodes, frame.depth, frame.start, false);
        break;
      }
    }
  }
  return { value: root ?? undefined, problems, itemStarts };
}

function isAwaitingKey(frame: Frame | undefined): boolean {
  return frame?.kind === "mapping" && frame.key === undefined;
}
