import type { JsonObject } from "@wfctl/model";

export interface StoredObject {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  config: JsonObject;
  readonly token: string;
}

/** A cloud in memory: gone with the process. */
export function createStore() {
  const objects = new Map<string, StoredObject>();
  const tokens = new Map<string, StoredObject>();
  let count = 0;
  return {
    find(ref: { providerId: string; name: string; type: string }): StoredObject | undefined {
      if (ref.providerId !== "") return objects.get(ref.providerId);
      return [...objects.values()].find((object) => object.name === ref.name && object.type === ref.type);
    },
    byToken(token: string): StoredObject | undefined {
      const object = tokens.get(token);
      return object !== undefined && objects.has(object.id) ? object : undefined;
    },
    create(name: string, type: string, config: JsonObject, token = ""): StoredObject {
      const object = { id: `${name}-${(count += 1)}`, name, type, config, token };
      objects.set(object.id, object);
      if (token !== "") tokens.set(token, object);
      return object;
    },
    delete: (id: string) => objects.delete(id),
  };
}
