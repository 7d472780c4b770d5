import type { CloudObject } from "./cloud-object.ts";

/** Finds objects by name and by token without walking through all of them. */
export function createObjectIndex(): {
  add(object: CloudObject): void;
  remove(object: CloudObject): void;
  /** Oldest first. */
  get(key: string): readonly CloudObject[];
} {
  const byKey = new Map<string, CloudObject[]>();
  return {
    add(object) {
      for (const key of keysOf(object)) {
        const list = byKey.get(key);
        if (list === undefined) byKey.set(key, [object]);
        else list.push(object);
      }
    },
    remove(object) {
      for (const key of keysOf(object)) {
        const list = byKey.get(key)?.filter((other) => other !== object) ?? [];
        if (list.length === 0) byKey.delete(key);
        else byKey.set(key, list);
      }
    },
    get: (key) => byKey.get(key) ?? [],
  };
}

export function keysOf(object: CloudObject): string[] {
  const keys = [nameKey(object.account, object.type, object.name)];
  if (object.token !== undefined) keys.push(tokenKey(object.account, object.type, object.token));
  return keys;
}

export function nameKey(account: string, type: string, name: string): string {
  return `name\n${account}\n${type}\n${name}`;
}

export function tokenKey(account: string, type: string, token: string): string {
  return `token\n${account}\n${type}\n${token}`;
}
