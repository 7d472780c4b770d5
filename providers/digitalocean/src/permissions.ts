/** Scopes of an API token that a type needs, in DigitalOcean's words. */
export function scopes(...kinds: readonly string[]): string[] {
  return kinds.flatMap((kind) => ["create", "read", "update", "delete"].map((verb) => `${kind}:${verb}`));
}

/** Scopes for reading alone. */
export function readScopes(...kinds: readonly string[]): string[] {
  return kinds.map((kind) => `${kind}:read`);
}
