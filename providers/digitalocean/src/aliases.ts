/**
 * Takes the value of an alias for the key that it stands for: a transform for a schema that has both. The key itself
 * wins, and the aliases never come out.
 */
export function renameKeys<Alias extends string, Key extends string>(aliases: Readonly<Record<Alias, Key>>) {
  return <Value extends object>(given: Value): Omit<Value, Alias> => {
    const made = { ...given } as Record<string, unknown>;
    for (const [alias, key] of Object.entries<Key>(aliases)) {
      if (made[alias] !== undefined && made[key] === undefined) made[key] = made[alias];
      delete made[alias];
    }
    return made as unknown as Omit<Value, Alias>;
  };
}

/** Without the members that are undefined: what is not given is left out of a request. */
export function given<Value extends object>(value: Value): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [Key in keyof Value]: Exclude<Value[Key], undefined>;
  };
}
