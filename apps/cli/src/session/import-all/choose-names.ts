import type { ListedObject } from "./found-object.ts";

/** What a name may be: a key of the state that references can use. */
const longest = 100;

/**
 * A name for each object that neither the stack nor another object has. The cloud's own name where it can be one; what clashes
 * gets its kind, then a number. The same objects in the same order give the same names.
 */
export function chooseNames(objects: readonly ListedObject[], taken: ReadonlySet<string>): string[] {
  const used = new Set(taken);
  return objects.map((object) => {
    const kind = (object.type.split(".").at(-1) ?? "object").replaceAll("_", "-");
    const base = cleanName(object.name === "" ? object.providerId : object.name, kind);
    const candidates = [base, `${base}-${kind}`];
    let name = candidates.find((candidate) => !used.has(candidate));
    for (let number = 2; name === undefined; number += 1) {
      const numbered = `${base}-${kind}-${number}`;
      if (!used.has(numbered)) name = numbered;
    }
    used.add(name);
    return name;
  });
}

function cleanName(text: string, kind: string): string {
  const clean = text
    .replaceAll(/[^A-Za-z0-9_-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, longest);
  return clean === "" ? kind : clean;
}
