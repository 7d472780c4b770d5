import type { CallOptions, Clock, LiveObject, Provider, ProviderFeatures, TypeTraits } from "@wfctl/engine";
import { ProviderError } from "@wfctl/model";
import type { FakeCloud } from "../cloud/fake-cloud.ts";
import type { CloudObject } from "../cloud/cloud-object.ts";
import { createCallRunner, type CallRunner } from "./call-runner.ts";
import type { CallOperation, FaultSource } from "./faults.ts";
import { convergentType, plainType, type FakeType } from "./fake-type.ts";
import { diffObject, inputsOf, toLive } from "./live-object.ts";

export type Personality = "ours" | "upstream";

export interface FakeProviderOptions {
  readonly clock: Clock;
  /** `ours` has lookup, tokens, inputs, Stop and limits of its own; `upstream` has none of it. @default "ours" */
  readonly personality?: Personality;
  /** @default "cloud" */
  readonly module?: string;
  /** @default "fake" */
  readonly name?: string;
  /** @default "1.0.0" */
  readonly version?: string;
  /** Account of the cloud. @default "main" */
  readonly account?: string;
  /** @default the account for `ours`, undefined for `upstream` */
  readonly identity?: string | undefined;
  readonly schemaDigest?: string;
  readonly features?: Partial<ProviderFeatures>;
  /** By type name. @default every type, `convergentType` for `ours` and `plainType` for `upstream` */
  readonly types?: Readonly<Record<string, FakeType>>;
  readonly faults?: FaultSource;
  /** Before the effect of each call, in milliseconds. @default 10 */
  readonly latencyMs?: number | ((operation: CallOperation, name: string) => number);
  /** The finalizer knows its work from the process's memory only, as upstream's do. @default true for `upstream` */
  readonly forgetfulFinalizer?: boolean;
  /** Told of each call as it arrives. */
  readonly onCall?: (call: RecordedCall, module: string) => void;
  /** A request that was under way when the plugin died still takes effect. @default never */
  readonly survivesCrash?: (operation: CallOperation, name: string) => boolean;
}

export interface RecordedCall {
  readonly atMs: number;
  readonly operation: CallOperation;
  readonly type: string;
  readonly name: string;
  readonly providerId: string;
  readonly options: CallOptions;
}

export interface FakeProvider extends Provider {
  /** Calls that arrived, in order. */
  readonly calls: readonly RecordedCall[];
  /** Runs that were asked to stop. */
  readonly stopped: readonly string[];
  /** How often the plugin process was started again. */
  readonly restarts: number;
  /** The plugin process dies with all its open calls; the next call starts another. */
  crash(): void;
  /** A new host starts the plugin for itself: the process of before is dead (or left alone), nothing counts as a restart. */
  relaunch(options?: { readonly leave?: boolean }): void;
  /** The plugin as the newest host has it: its own process, and no other, whoever starts the plugin after it. */
  launched(): Launched;
}

/** One host's plugin process, and those that take its place when it dies. */
export type Launched = Pick<
  FakeProvider,
  | "create"
  | "read"
  | "update"
  | "delete"
  | "diff"
  | "resolveSizing"
  | "lookup"
  | "finalize"
  | "stop"
  | "crash"
  | "processGone"
>;

/** An in-memory `Provider` over the fake cloud, with the manners of our plugins or of upstream's. */
export function createFakeProvider(cloud: FakeCloud, options: FakeProviderOptions): FakeProvider {
  const personality = options.personality ?? "ours";
  const ours = personality === "ours";
  const accountName = options.account ?? "main";
  const account = cloud.account(accountName);
  const standard = ours ? convergentType : plainType;
  const typeOf = (type: string): FakeType | undefined => (options.types === undefined ? standard : options.types[type]);
  const features: ProviderFeatures = {
    drivers: true,
    finalizer: false,
    clientTokens: ours,
    lookup: ours,
    stop: ours,
    ownLimits: ours,
    readsInputs: ours,
    ...options.features,
  };
  const calls: RecordedCall[] = [];
  const stopped: string[] = [];
  const counts = new Map<string, number>();
  const startRunner = (): CallRunner =>
    createCallRunner({
      ...options,
      provider: options.module ?? "cloud",
      ours,
      ownLimits: features.ownLimits,
      throttle: () => account.throttle(),
      counts,
    });

  const known = (type: string): FakeType => {
    const found = typeOf(type);
    if (found === undefined) throw new ProviderError("unsupported", `No driver of ${type}`);
    return found;
  };
  const record = (
    operation: CallOperation,
    type: string,
    name: string,
    providerId: string,
    call: CallOptions,
  ): void => {
    const recorded: RecordedCall = { atMs: options.clock.now(), operation, type, name, providerId, options: call };
    calls.push(recorded);
    options.onCall?.(recorded, options.module ?? "cloud");
  };
  const live = (object: CloudObject, created?: boolean): LiveObject =>
    toLive(object, known(object.type), personality, ours ? created : undefined);
  const find = (type: string, name: string, id: string): CloudObject | undefined =>
    id === "" ? account.findByName(type, name) : account.get(id);

  const launch = (runner: CallRunner): Launched => ({
    crash: () => runner.crash(),
    processGone: () => runner.gone(),
    async create(spec, call) {
      record("create", spec.type, spec.name, "", call);
      const type = known(spec.type);
      const request = {
        name: spec.name,
        type: spec.type,
        inputs: inputsOf(spec.config),
        ...(ours ? { owner: call.owner, token: call.clientToken } : {}),
      };
      const effect = (partial: boolean): { object: CloudObject; fresh: boolean } => {
        const made = account.create({ ...request, partial });
        if ("refused" in made) throw new ProviderError("already_exists", `${spec.type} "${spec.name}" exists already`);
        if (type.deferred === true) runner.process().deferred.add(made.object.id);
        return made;
      };
      return runner.run({ operation: "create", type: spec.type, name: spec.name }, call, {
        given: spec.config,
        effect,
        answer: ({ object, fresh }) => live(object, fresh),
        ready: ({ object }) => object.state !== "creating",
        partialId: ({ object }) => object.id,
      });
    },
    async read(ref, call) {
      record("read", ref.type, ref.name, ref.providerId, call);
      known(ref.type);
      return runner.run({ operation: "read", type: ref.type, name: ref.name }, call, {
        effect: () => find(ref.type, ref.name, ref.providerId),
        answer: (object) => (object === undefined ? undefined : live(object)),
      });
    },
    async update(ref, spec, call) {
      record("update", ref.type, ref.name, ref.providerId, call);
      const type = known(ref.type);
      return runner.run({ operation: "update", type: ref.type, name: ref.name }, call, {
        given: spec.config,
        effect: (partial) => {
          const object = find(ref.type, ref.name, ref.providerId);
          if (partial && object !== undefined) return object;
          const token = features.clientTokens ? call.clientToken : undefined;
          const changed = object === undefined ? undefined : account.update(object.id, inputsOf(spec.config), token);
          if (changed === undefined) throw new ProviderError("not_found", `${ref.type} "${ref.name}" does not exist`);
          if (type.deferred === true) runner.process().deferred.add(changed.id);
          return changed;
        },
        answer: (object) => live(object),
      });
    },
    async delete(ref, call) {
      record("delete", ref.type, ref.name, ref.providerId, call);
      known(ref.type);
      return runner.run({ operation: "delete", type: ref.type, name: ref.name }, call, {
        effect: () => {
          const object = find(ref.type, ref.name, ref.providerId);
          if (object !== undefined) account.delete(object.id);
          return object;
        },
        answer: () => undefined,
        ready: (object) => object === undefined || account.get(object.id) === undefined,
      });
    },
    async diff(spec, current, call) {
      record("diff", spec.type, spec.name, current.providerId, call);
      const type = known(spec.type);
      return runner.run({ operation: "diff", type: spec.type, name: spec.name }, call, {
        given: spec.config,
        effect: () => diffObject(spec, current, type, personality),
        answer: (reply) => reply,
      });
    },
    async resolveSizing(type, size, _hints, call) {
      record("sizing", type, size, "", call);
      return runner.run({ operation: "sizing", type, name: size }, call, {
        effect: () => ({ instanceType: `fake-${size}`, specs: {} }),
        answer: (reply) => reply,
      });
    },
    async lookup(type, token, name, call) {
      record("lookup", type, name, "", call);
      if (!features.lookup) throw new ProviderError("unsupported", "No lookup by client token");
      return runner.run({ operation: "lookup", type, name }, call, {
        effect: () => account.findByToken(type, token),
        answer: (object) => (object === undefined ? undefined : live(object)),
      });
    },
    async finalize(planId, call) {
      record("finalize", "", planId, "", call);
      const forgetful = options.forgetfulFinalizer ?? !ours;
      return runner.run({ operation: "finalize", type: "", name: "" }, call, {
        effect: () => {
          const { deferred } = runner.process();
          const owed = forgetful
            ? [...deferred]
            : cloud
                .objects(accountName)
                .filter((each) => typeOf(each.type)?.deferred === true)
                .map((each) => each.id);
          for (const id of owed) account.finalize(id);
          deferred.clear();
          return [];
        },
        answer: (errors) => errors,
      });
    },
    async stop(run) {
      stopped.push(run);
      runner.process().stop(run);
    },
  });

  let runner = startRunner();
  let current = launch(runner);
  return {
    module: options.module ?? "cloud",
    name: options.name ?? "fake",
    version: options.version ?? "1.0.0",
    identity: "identity" in options ? options.identity : ours ? `fake:${accountName}` : undefined,
    schemaDigest: options.schemaDigest ?? (ours ? "schema-1" : ""),
    features,
    calls,
    stopped,
    get restarts() {
      return runner.restarts();
    },
    relaunch({ leave = false } = {}) {
      if (!leave) runner.crash();
      runner = startRunner();
      current = launch(runner);
    },
    launched: () => current,
    crash: () => current.crash(),
    processGone: () => current.processGone(),
    traits: (type): TypeTraits | undefined => {
      const found = typeOf(type);
      return found === undefined || ours ? found : {};
    },
    create: (spec, call) => current.create(spec, call),
    read: (ref, call) => current.read(ref, call),
    update: (ref, spec, call) => current.update(ref, spec, call),
    delete: (ref, call) => current.delete(ref, call),
    diff: (spec, before, call) => current.diff(spec, before, call),
    resolveSizing: (type, size, hints, call) => current.resolveSizing(type, size, hints, call),
    lookup: (type, token, name, call) => current.lookup(type, token, name, call),
    finalize: (planId, call) => current.finalize(planId, call),
    stop: (run) => current.stop(run),
  };
}
