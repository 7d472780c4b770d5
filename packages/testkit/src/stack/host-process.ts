import type { EngineEvent, Hooks, Provider, Store } from "@wfctl/engine";
import type { JournalEvent } from "@wfctl/model";
import type { MemoryStore } from "@wfctl/state/testing";
import type { CloudEffect } from "../cloud/cloud-object.ts";
import type { FakeProvider, Launched, RecordedCall } from "../provider/fake-provider.ts";
import type { ProcessClock, VirtualClock } from "../time/virtual-clock.ts";

const heartbeatDelayMs = 20;

/** Moments at which a host may die. */
export type CrashPoint =
  | { readonly at: "call"; readonly operation: string; readonly name: string }
  | { readonly at: "answer"; readonly operation: string; readonly name: string }
  | { readonly at: "effect"; readonly effect: CloudEffect }
  /** The events are on their way to the disk. */
  | { readonly at: "write"; readonly events: readonly JournalEvent[] }
  /** The events are durable and the engine is about to hear of it. */
  | { readonly at: "durable"; readonly events: readonly JournalEvent[] }
  /** A wait of the engine is over. */
  | { readonly at: "sleep" };

/**
 * One run of the program: dies with all its promises, its sleepers and its plugins. Or it is stopped, as by a signal: then
 * no answer, no commit and no sleep of it ends before it is continued, while what it had sent goes on.
 */
export interface HostProcess {
  readonly clock: ProcessClock;
  readonly dead: boolean;
  /** What the engine emitted while the process lived. */
  readonly events: EngineEvent[];
  readonly stopped: boolean;
  /** Asked at every point; true kills the process there, or stops it where `stops` is set. */
  crashWhen: ((point: CrashPoint) => boolean) | undefined;
  /** Given a function that continues the process when it is stopped instead of killed. */
  stops: ((wake: () => void) => void) | undefined;
  /** Called when the process has died. */
  onDeath: (() => void) | undefined;
  /** True where the process died at this point. */
  pass(point: CrashPoint): boolean;
  wrapProvider(provider: FakeProvider): Provider;
  wrapStore(store: MemoryStore): Store;
  /** Hooks that run in this process: none is called, and none goes on, once it has died. */
  wrapHooks(hooks: Hooks): Hooks;
  /** Of commits not yet acknowledged the first `keep` become durable. */
  die(options?: { readonly keep?: number; readonly pluginsLive?: boolean }): void;
}

export function createHostProcess(options: {
  readonly clock: VirtualClock;
  /** Commits that survive a death in the middle of a write. @default 0 */
  readonly keep?: () => number;
  /** Its plugins live on: it was another machine that lost its network. @default false */
  readonly pluginsLive?: boolean;
}): HostProcess {
  const time = options.clock.fork();
  const stores: MemoryStore[] = [];
  const plugins: Launched[] = [];
  let dead = false;
  let asleep: PromiseWithResolvers<void> | undefined;
  const awake = async (): Promise<void> => {
    while (asleep !== undefined) await asleep.promise;
  };
  const stop = (tell: (wake: () => void) => void): void => {
    const nap = Promise.withResolvers<void>();
    asleep = nap;
    host.crashWhen = undefined;
    for (const store of stores) store.pauseHeartbeat();
    tell(() => {
      asleep = undefined;
      nap.resolve();
      // Its thread that beats need not be the first to run.
      void options.clock.sleep(heartbeatDelayMs).then(() => {
        for (const store of stores) store.resumeHeartbeat();
      });
    });
    host.onDeath?.();
  };
  const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

  const clock: ProcessClock = {
    now: time.now,
    kill: time.kill,
    async sleep(ms, signal) {
      await time.sleep(ms, signal);
      await awake();
      if (host.pass({ at: "sleep" })) await never();
      await awake();
    },
  };
  const host: HostProcess = {
    clock,
    get dead() {
      return dead;
    },
    get stopped() {
      return asleep !== undefined;
    },
    events: [],
    crashWhen: undefined,
    stops: undefined,
    onDeath: undefined,
    pass(point) {
      if (!dead && asleep === undefined && host.crashWhen?.(point) === true) {
        if (host.stops !== undefined) stop(host.stops);
        else host.die({ keep: options.keep?.() ?? 0, pluginsLive: options.pluginsLive ?? false });
      }
      return dead;
    },
    wrapProvider(provider) {
      const own = provider.launched();
      plugins.push(own);
      const call =
        <A extends unknown[], R>(operation: RecordedCall["operation"], send: (...args: A) => Promise<R>) =>
        async (...args: A): Promise<R> => {
          const name = nameOf(args[0]);
          if (dead || host.pass({ at: "call", operation, name })) return never();
          try {
            const answer = await send(...args);
            if (dead || host.pass({ at: "answer", operation, name })) return await never();
            await awake();
            return answer;
          } catch (error) {
            if (dead || host.pass({ at: "answer", operation, name })) return never();
            await awake();
            throw error;
          }
        };
      return {
        module: provider.module,
        name: provider.name,
        version: provider.version,
        identity: provider.identity,
        schemaDigest: provider.schemaDigest,
        features: provider.features,
        traits: (type) => provider.traits(type),
        create: call("create", (spec, rest) => own.create(spec, rest)),
        read: call("read", (ref, rest) => own.read(ref, rest)),
        update: call("update", (ref, spec, rest) => own.update(ref, spec, rest)),
        delete: call("delete", (ref, rest) => own.delete(ref, rest)),
        diff: call("diff", (spec, current, rest) => own.diff(spec, current, rest)),
        resolveSizing: call("sizing", (type, size, hints, rest) => own.resolveSizing(type, size, hints, rest)),
        lookup: call("lookup", (type, token, name, rest) => own.lookup(type, token, name, rest)),
        finalize: call("finalize", (plan, rest) => own.finalize(plan, rest)),
        stop: (run) => (dead ? never() : own.stop(run)),
        processGone: () => own.processGone(),
      };
    },
    wrapHooks(hooks) {
      const within =
        <A extends unknown[]>(call: (...args: A) => Promise<void>) =>
        async (...args: A): Promise<void> => {
          if (dead) return await never();
          try {
            await call(...args);
          } finally {
            if (dead) await never();
            await awake();
          }
        };
      const wrapped = Object.entries(hooks).map(([name, hook]) => [name, within(hook.bind(hooks))] as const);
      return Object.fromEntries(wrapped) as Hooks;
    },
    wrapStore(store) {
      stores.push(store);
      return {
        location: store.location,
        load: () => (dead ? never() : store.load()),
        acquire: (holder) => (dead ? never() : store.acquire(holder)),
        async commit(lease, events) {
          if (dead) return never();
          try {
            const serial = await store.commit(lease, events);
            if (host.pass({ at: "durable", events })) return await never();
            return serial;
          } finally {
            await awake();
          }
        },
        runs: (limit) => (dead ? never() : store.runs(limit)),
        run: (id) => (dead ? never() : store.run(id)),
        close: () => (dead ? never() : store.close()),
      };
    },
    die({ keep = 0, pluginsLive = false } = {}) {
      if (dead) return;
      dead = true;
      clock.kill();
      for (const store of stores) store.crash({ keep });
      if (!pluginsLive) for (const plugin of plugins) plugin.crash();
      host.onDeath?.();
    },
  };
  return host;
}

function nameOf(target: unknown): string {
  return typeof target === "object" && target !== null && "name" in target ? String(target.name) : String(target);
}
