import { markPrefix, type Tags } from "./tags.ts";

const managesTag = `${markPrefix}manages`;

/**
 * Which optional parts of an object the configuration manages, kept as a mark on the object: a part that was never
 * configured is left alone, and a part that the configuration drops is taken away. `keys` are input keys.
 */
export function managesMark<Key extends string>(
  input: Readonly<Partial<Record<Key, unknown>>>,
  keys: readonly Key[],
): Record<string, string> {
  return { [managesTag]: keys.filter((key) => input[key] !== undefined).join(" ") };
}

/** The parts that the mark names. */
export function managedKeys<Key extends string>(tags: Tags, keys: readonly Key[]): readonly Key[] {
  const named = new Set((tags[managesTag] ?? "").split(" "));
  return keys.filter((key) => named.has(key));
}
