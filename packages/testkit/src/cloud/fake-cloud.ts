import type { Clock } from "@wfctl/engine";
import type { JsonObject } from "@wfctl/model";
import { createThrottle } from "./throttle.ts";
import type { CloudEffect, CloudObject } from "./cloud-object.ts";
import { createObjectIndex, keysOf, nameKey, tokenKey } from "./object-index.ts";

export interface CloudOptions {
  readonly clock: Clock;
  /** How long a fresh or deleted object stays hidden from, or visible to, searches by name, token and owner. @default 0 */
  readonly lagMs?: number | (() => number);
  /** How long a deleted object is still there as `deleting`. @default 0 */
  readonly deleteMs?: number;
  /** How long a created object is `creating` before it is ready by itself. @default 0 */
  readonly readyMs?: number;
  /** A second create with the same token gives the object of the first, or is refused once that is gone. @default true */
  readonly honoursTokens?: boolean;
  /** Types of which a second object of the same name is refused. @default none */
  readonly uniqueNames?: boolean | ReadonlySet<string>;
  /** API calls per second and account that are let through. @default unlimited */
  readonly callsPerSecond?: number;
}

export interface CreateRequest {
  readonly name: string;
  readonly type: string;
  readonly inputs: JsonObject;
  readonly owner?: string | undefined;
  readonly token?: string | undefined;
  /** Leave the object `partial`. */
  readonly partial?: boolean;
}

export type Created =
  | { readonly object: CloudObject; readonly fresh: boolean }
  | { readonly refused: "already_exists"; readonly by: CloudObject };

/** A cloud in memory. State changes at the instant of the call; who calls brings the delays. */
export interface FakeCloud {
  /** All that was changed, in order. */
  readonly log: readonly CloudEffect[];
  /** All objects that are there, `deleting` ones included, oldest first. */
  objects(account?: string): readonly CloudObject[];
  account(name: string): CloudAccount;
  /** Called at once with each effect. */
  onEffect: ((effect: CloudEffect) => void) | undefined;
}

export interface CloudAccount {
  readonly name: string;
  /** Undefined: go ahead. Else the call is throttled for that many milliseconds. */
  throttle(): number | undefined;
  create(request: CreateRequest): Created;
  /** Strongly consistent. */
  get(id: string): CloudObject | undefined;
  /** Searches lag behind. The oldest match, as a list filter would give it first. */
  findByName(type: string, name: string): CloudObject | undefined;
  findByToken(type: string, token: string): CloudObject | undefined;
  /** With the token of an update that was carried out before, nothing changes. */
  update(id: string, inputs: JsonObject, token?: string): CloudObject | undefined;
  /** False where nothing was there. */
  delete(id: string): boolean;
  finalize(id: string): void;
  /** What other people do. */
  readonly outside: {
    create(request: CreateRequest): CloudObject;
    edit(id: string, change: JsonObject): void;
    delete(id: string): void;
  };
}

export function createFakeCloud(options: CloudOptions): FakeCloud {
  const { clock } = options;
  const objects = new Map<string, CloudObject>();
  const index = createObjectIndex();
  const spentTokens = new Map<string, CloudObject>();
  const spentUpdates = new Set<string>();
  /** When searches see the object first, and until when they see one that is gone. */
  const seenFrom = new Map<string, number>();
  const ghosts: { readonly object: CloudObject; readonly untilMs: number }[] = [];
  const log: CloudEffect[] = [];
  const accounts = new Map<string, CloudAccount>();
  let count = 0;

  const lagMs = (): number => (typeof options.lagMs === "function" ? options.lagMs() : (options.lagMs ?? 0));
  const note = (kind: CloudEffect["kind"], object: CloudObject, external: boolean): void => {
    const effect: CloudEffect = {
      order: log.length,
      atMs: clock.now(),
      kind,
      external,
      account: object.account,
      id: object.id,
      name: object.name,
      type: object.type,
      ...(object.token === undefined ? {} : { token: object.token }),
      ...(kind === "created" || kind === "updated" ? { inputs: object.inputs } : {}),
    };
    log.push(effect);
    cloud.onEffect?.(effect);
  };
  const later = (ms: number, work: () => void): void => {
    if (ms <= 0) work();
    else void clock.sleep(ms).then(work);
  };
  const search = (key: string): CloudObject | undefined => {
    const now = clock.now();
    while (ghosts.length > 0 && ghosts[0]!.untilMs <= now) ghosts.shift();
    const ghost = ghosts.find(({ object, untilMs }) => untilMs > now && keysOf(object).includes(key));
    return ghost?.object ?? index.get(key).find((object) => (seenFrom.get(object.id) ?? 0) <= now);
  };
  const add = (account: string, request: CreateRequest, external: boolean): CloudObject => {
    const readyMs = options.readyMs ?? 0;
    const object: CloudObject = {
      id: `${request.type.split(".").at(-1)}-${(count += 1)}`,
      account,
      name: request.name,
      type: request.type,
      inputs: request.inputs,
      owner: request.owner,
      token: request.token,
      createdAtMs: clock.now(),
      changedAtMs: clock.now(),
      state: request.partial === true ? "partial" : readyMs > 0 ? "creating" : "ready",
      revision: 1,
      finalized: false,
    };
    objects.set(object.id, object);
    index.add(object);
    seenFrom.set(object.id, clock.now() + lagMs());
    note("created", object, external);
    if (object.state === "creating") {
      later(readyMs, () => {
        if (object.state !== "creating" || !objects.has(object.id)) return;
        object.state = "ready";
        note("completed", object, external);
      });
    }
    return object;
  };
  const remove = (object: CloudObject, external: boolean): void => {
    if (!objects.has(object.id) || object.state === "deleting") return;
    object.state = "deleting";
    note("deleting", object, external);
    later(options.deleteMs ?? 0, () => {
      objects.delete(object.id);
      index.remove(object);
      if (object.token !== undefined) spentTokens.set(tokenKey(object.account, object.type, object.token), object);
      const lag = lagMs();
      if (lag > 0) ghosts.push({ object, untilMs: clock.now() + lag });
      note("deleted", object, external);
    });
  };
  const change = (object: CloudObject, inputs: JsonObject, external: boolean): void => {
    object.inputs = inputs;
    object.revision += 1;
    object.changedAtMs = clock.now();
    object.finalized = false;
    if (object.state === "partial") object.state = "ready";
    note("updated", object, external);
  };

  const open = (name: string): CloudAccount => {
    const throttle = createThrottle(clock, options.callsPerSecond);
    const own = (id: string): CloudObject | undefined => {
      const object = objects.get(id);
      return object?.account === name ? object : undefined;
    };
    return {
      name,
      throttle,
      create(request) {
        if (options.honoursTokens !== false && request.token !== undefined) {
          const [found] = index.get(tokenKey(name, request.type, request.token));
          if (found !== undefined) {
            if (found.state === "partial") {
              found.state = "ready";
              found.inputs = request.inputs;
              note("completed", found, false);
            }
            return { object: found, fresh: false };
          }
          // As clouds do, a token is remembered longer than what it made.
          const spent = spentTokens.get(tokenKey(name, request.type, request.token));
          if (spent !== undefined) return { refused: "already_exists", by: spent };
        }
        const [other] = index.get(nameKey(name, request.type, request.name));
        const { uniqueNames = false } = options;
        const isUnique = typeof uniqueNames === "boolean" ? uniqueNames : uniqueNames.has(request.type);
        if (isUnique && other !== undefined) return { refused: "already_exists", by: other };
        return { object: add(name, request, false), fresh: true };
      },
      get: own,
      findByName: (type, wanted) => search(nameKey(name, type, wanted)),
      findByToken: (type, token) => search(tokenKey(name, type, token)),
      update(id, inputs, token) {
        const object = own(id);
        if (object === undefined || object.state === "deleting") return undefined;
        if (token !== undefined) {
          const key = tokenKey(name, id, token);
          if (spentUpdates.has(key)) return object;
          spentUpdates.add(key);
        }
        change(object, inputs, false);
        return object;
      },
      delete(id) {
        const object = own(id);
        if (object === undefined) return false;
        remove(object, false);
        return true;
      },
      finalize(id) {
        const object = own(id);
        if (object === undefined || object.finalized) return;
        object.finalized = true;
        note("finalized", object, false);
      },
      outside: {
        create: (request) => add(name, request, true),
        edit(id, changed) {
          const object = own(id);
          if (object !== undefined) change(object, { ...object.inputs, ...changed }, true);
        },
        delete(id) {
          const object = own(id);
          if (object !== undefined) remove(object, true);
        },
      },
    };
  };

  const cloud: FakeCloud = {
    log,
    objects: (account) => [...objects.values()].filter((object) => account === undefined || object.account === account),
    account(name) {
      let account = accounts.get(name);
      if (account === undefined) accounts.set(name, (account = open(name)));
      return account;
    },
    onEffect: undefined,
  };
  return cloud;
}
