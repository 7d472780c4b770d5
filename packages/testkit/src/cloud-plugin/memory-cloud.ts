import type { JsonObject } from "@wfctl/model";
import type { PendingWork, PluginCall, PluginCloud, StoredObject, StoreRequest } from "./stored-object.ts";

/**
 * A cloud that lives in the plugin process: fast, and gone with it. An id that it does not know but that has its shape
 * is an object of an earlier process: `get` tells nothing of it but that it is there.
 */
export function createMemoryCloud(): PluginCloud {
  const objects = new Map<string, StoredObject>();
  const byToken = new Map<string, string>();
  const byName = new Map<string, string>();
  const calls = new Map<string, number>();
  const prefix = `${process.pid.toString(36)}${Date.now().toString(36)}`;
  let count = 0;
  const nameKey = (account: string, type: string, name: string): string => `${account}\n${type}\n${name}`;

  const cloud: PluginCloud = {
    create(request: StoreRequest) {
      const token = request.token ?? "";
      const known = token === "" ? undefined : objects.get(byToken.get(token) ?? "");
      if (known !== undefined) return { object: known, fresh: false };
      const object: StoredObject = {
        id: `test-${prefix}-${(count += 1)}`,
        account: request.account,
        type: request.type,
        name: request.name,
        inputs: request.inputs,
        owner: request.owner ?? "",
        token,
        state: request.partial === true ? "partial" : "ready",
        revision: 1,
        finalized: false,
      };
      objects.set(object.id, object);
      if (token !== "") byToken.set(token, object.id);
      byName.set(nameKey(request.account, request.type, request.name), object.id);
      return { object, fresh: true };
    },
    get: (_account, id) => objects.get(id) ?? (id.startsWith("test-") ? strangerOf(id) : undefined),
    findByName: (account, type, name) => objects.get(byName.get(nameKey(account, type, name)) ?? ""),
    findByToken: (_account, _type, token) => objects.get(byToken.get(token) ?? ""),
    update(account, id, inputs: JsonObject) {
      const known = cloud.get(account, id);
      if (known === undefined) return undefined;
      const changed: StoredObject = {
        ...known,
        inputs,
        state: "ready",
        revision: known.revision + 1,
        finalized: false,
      };
      objects.set(id, changed);
      return changed;
    },
    delete(account, id) {
      const known = cloud.get(account, id);
      objects.delete(id);
      return known !== undefined;
    },
    list: () => [...objects.values()],
    finalize(_account, ids) {
      for (const id of ids) {
        const known = objects.get(id);
        if (known !== undefined) objects.set(id, { ...known, finalized: true });
      }
    },
    later(delayMs: number, work: PendingWork) {
      setTimeout(() => perform(cloud, work), delayMs).unref();
    },
    countCall(call: PluginCall) {
      const key = `${call.operation}\n${call.type}\n${call.name}`;
      const nth = (calls.get(key) ?? 0) + 1;
      calls.set(key, nth);
      return nth;
    },
    close: () => undefined,
  };
  return cloud;
}

/** True of what `get` made up for an id that it does not know. */
export function isStranger(object: StoredObject): boolean {
  return object.revision === 0;
}

function strangerOf(id: string): StoredObject {
  return {
    id,
    account: "",
    type: "",
    name: "",
    inputs: {},
    owner: "",
    token: "",
    state: "ready",
    revision: 0,
    finalized: true,
  };
}

/** Does what was put off. */
export function perform(cloud: PluginCloud, work: PendingWork): void {
  if (work.kind === "create") cloud.create(work.request);
  else if (work.kind === "update") cloud.update(work.account, work.id, work.inputs);
  else cloud.delete(work.account, work.id);
}
