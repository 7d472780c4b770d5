import type { ForeignObject } from "../foreign/foreign-state.ts";

/** Longest name that a resource may have. */
const longest = 128;

/**
 * A name for each object: its own, with the instance's key; where that does not tell two apart, or is taken, with the
 * modules around it, then with its type, then with a digest of its address. The same objects get the same names, in
 * whatever order they come.
 */
export function nameObjects(
  objects: readonly ForeignObject[],
  isTaken: (name: string, object: ForeignObject) => boolean,
): ReadonlyMap<ForeignObject, string> {
  const names = new Map<ForeignObject, string>();
  const used = new Set<string>();
  let open = objects.toSorted((a, b) => compare(a.address, b.address));
  for (const choose of [ownName, nameInPath, nameWithType, nameWithDigest]) {
    const groups = Map.groupBy(open, choose);
    const left: ForeignObject[] = [];
    for (const [name, group] of groups) {
      const [only] = group;
      if (only !== undefined && group.length === 1 && !used.has(name) && !isTaken(name, only)) {
        names.set(only, name);
        used.add(name);
      } else {
        left.push(...group);
      }
    }
    open = left;
  }
  for (const object of open) {
    let name = nameWithDigest(object);
    for (let count = 2; used.has(name) || isTaken(name, object); count += 1) {
      name = `${nameWithDigest(object).slice(0, longest - 6)}-${count}`;
    }
    names.set(object, name);
    used.add(name);
  }
  return names;
}

const ownName = ({ name, key }: ForeignObject): string => join([name, key ?? ""]);
const nameInPath = ({ path, name, key }: ForeignObject): string => join([...path, name, key ?? ""]);
const nameWithType = ({ path, name, key, type }: ForeignObject): string =>
  join([...path, name, key ?? "", type.split(/[:/]/).at(-1) ?? type]);
const nameWithDigest = (object: ForeignObject): string => {
  const digest = shortDigest(object.address);
  return `${nameInPath(object).slice(0, longest - digest.length - 1)}-${digest}`;
};

function join(parts: readonly string[]): string {
  const text = parts
    .map((part) => part.replaceAll(/[^A-Za-z0-9_]+/g, "-").replaceAll(/^-+|-+$/g, ""))
    .filter((part) => part !== "")
    .join("-");
  if (text === "") return "object";
  return text.length <= longest ? text : `${text.slice(0, longest - 9)}-${shortDigest(text)}`;
}

/** FNV-1a: tells names apart, and promises nothing more. */
function shortDigest(text: string): string {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
