import { z } from "@wfctl/plugin-sdk";

/**
 * Keys that mean something to other clouds and nothing here: accepted, so that one file serves both, and dropped before
 * anything is compared.
 */
export function ignoredKeys<const Name extends string>(names: readonly Name[]) {
  const shape = Object.fromEntries(
    names.map((name) => [name, z.unknown().optional().describe("Without effect on this machine")]),
  ) as Record<Name, z.ZodOptional<z.ZodUnknown>>;
  return { names, shape };
}

export function withoutIgnored<Name extends string>(names: readonly Name[]) {
  return <Value extends object>(value: Value): Omit<Value, Name> =>
    Object.fromEntries(Object.entries(value).filter(([key]) => !(names as readonly string[]).includes(key))) as Omit<
      Value,
      Name
    >;
}
