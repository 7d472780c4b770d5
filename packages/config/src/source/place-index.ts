import { EVENT_ID, getScalarValue, SCALAR_STYLE, type Event, type ScalarEvent } from "js-yaml";
import { scalarStart } from "./event-text.ts";

/** A node of the text with where it is. */
export interface PlaceNode {
  /** Offset where the value begins; that of its key where the value is empty. */
  start: number;
  /** Offset of the key, for values of mappings. */
  keyStart: number | undefined;
  readonly entries: Map<string, PlaceNode> | undefined;
  readonly items: PlaceNode[] | undefined;
  /** Mappings that a merge key brings in, first one first. */
  readonly merges: PlaceNode[];
  readonly scalar: ScalarEvent | undefined;
  /** What an alias stands for. */
  readonly target: PlaceNode | undefined;
}

interface Frame {
  readonly node: PlaceNode;
  key: { readonly text: string; readonly start: number; readonly merge: boolean } | undefined;
}

/** The first document's nodes by path, for looking up places. Built once, on the first problem of a file. */
export function indexPlaces(text: string, events: readonly Event[]): PlaceNode | undefined {
  const frames: Frame[] = [];
  const anchors = new Map<string, PlaceNode>();
  let root: PlaceNode | undefined;
  let documents = 0;
  let lastOffset = 0;

  const attach = (
    node: PlaceNode,
    isKeyCandidate: { readonly text: string; readonly merge: boolean } | undefined,
  ): void => {
    const frame = frames.at(-1);
    if (frame === undefined) {
      root ??= node;
      return;
    }
    if (frame.node.items !== undefined) {
      frame.node.items.push(node);
      return;
    }
    if (frame.key === undefined) {
      frame.key = { text: isKeyCandidate?.text ?? "", start: node.start, merge: isKeyCandidate?.merge ?? false };
      return;
    }
    const { text: key, start, merge } = frame.key;
    frame.key = undefined;
    node.keyStart = start;
    if (merge) {
      const source = node.target ?? node;
      for (const item of source.items ?? [source]) frame.node.merges.push(item.target ?? item);
    } else if (frame.node.entries?.has(key) === false) frame.node.entries.set(key, node);
  };

  for (const event of events) {
    if (event.type === EVENT_ID.DOCUMENT) {
      documents += 1;
      if (documents > 1) break;
    } else if (event.type === EVENT_ID.SCALAR) {
      const start = event.valueStart >= 0 ? scalarStart(event) : (frames.at(-1)?.key?.start ?? lastOffset);
      lastOffset = start;
      const node = createNode(start, { scalar: event });
      if (event.anchorStart >= 0) anchors.set(text.slice(event.anchorStart, event.anchorEnd), node);
      const source = getScalarValue(text, event);
      attach(node, {
        text: source,
        merge: source === "<<" && event.style === SCALAR_STYLE.PLAIN && event.tagStart < 0,
      });
    } else if (event.type === EVENT_ID.ALIAS) {
      const target = anchors.get(text.slice(event.anchorStart, event.anchorEnd));
      const node = createNode(event.anchorStart - 1, target === undefined ? {} : { target });
      lastOffset = node.start;
      const key =
        target?.scalar === undefined ? undefined : { text: getScalarValue(text, target.scalar), merge: false };
      attach(node, key);
    } else if (event.type === EVENT_ID.POP) {
      const frame = frames.pop();
      if (frame !== undefined) attach(frame.node, undefined);
    } else {
      const node = createNode(event.start, event.type === EVENT_ID.MAPPING ? { entries: new Map() } : { items: [] });
      lastOffset = node.start;
      if (event.anchorStart >= 0) anchors.set(text.slice(event.anchorStart, event.anchorEnd), node);
      frames.push({ node, key: undefined });
    }
  }
  return root;
}

/** The child of a node, through aliases and merge keys. */
export function childPlace(node: PlaceNode, step: string | number): PlaceNode | undefined {
  const actual = node.target ?? node;
  if (actual.items !== undefined) return actual.items[Number(step)];
  const own = actual.entries?.get(String(step));
  if (own !== undefined) return own;
  for (const merge of actual.merges) {
    const found = childPlace(merge, step);
    if (found !== undefined) return found;
  }
  return undefined;
}

function createNode(start: number, parts: Partial<Omit<PlaceNode, "start" | "merges">>): PlaceNode {
  return {
    start,
    keyStart: undefined,
    entries: undefined,
    items: undefined,
    merges: [],
    scalar: undefined,
    target: undefined,
    ...parts,
  };
}
