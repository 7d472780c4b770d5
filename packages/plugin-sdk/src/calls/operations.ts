import type { Ref, Spec } from "@wfctl/contract";
import type { JsonObject, ProviderError } from "@wfctl/model";
import type { Clock } from "../author/clock.ts";
import type { CallContext } from "../author/context.ts";
import type { Provider } from "../author/define-provider.ts";
import type { Comparison, Health, Resource, TroubleReport } from "../author/define-resource.ts";
import { isAlreadyExists, isNotFound, ProviderFailure, type NotFound } from "../author/failure.ts";
import type { Log } from "../author/log.ts";
import { compareInputs, finish } from "../schema/compare.ts";
import { requireInput, stripReserved } from "../schema/input.ts";
import type { Caller, Current, ReportedObject } from "./call.ts";
import { openCall } from "./create-context.ts";
import { toFailure } from "./fault.ts";
import type { Instances } from "./instances.ts";
import { CallRefusal } from "./refusal.ts";
import { reportObject } from "./report.ts";
import type { Runs } from "./runs.ts";

/** How long a handler may take to answer after its signal aborted. */
const lastWordsMs = 500;
const defaultTimeoutsMs = { create: 1_800_000, read: 120_000, update: 1_800_000, delete: 1_800_000 };

export interface Environment {
  readonly provider: Provider;
  readonly instances: Instances;
  readonly runs: Runs;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when the plugin shuts down. */
  readonly ending: AbortSignal;
}

/**
 * Every driver operation, without a word of the wire: an rpc of its own and a request of a session end up here alike.
 * All reject with a `ProviderError`, or with a `CallRefusal` where no handler was reached.
 */
export interface Operations {
  create(type: string, spec: Spec, caller: Caller): Promise<ReportedObject>;
  read(type: string, ref: Ref, caller: Caller): Promise<ReportedObject | undefined>;
  update(type: string, ref: Ref, spec: Spec, caller: Caller): Promise<ReportedObject>;
  delete(type: string, ref: Ref, caller: Caller): Promise<void>;
  diff(type: string, spec: Spec, current: Current, caller: Caller): Promise<Required<Comparison>>;
  lookup(
    type: string,
    query: { token: string; name: string; owner: string },
    caller: Caller,
  ): Promise<ReportedObject | undefined>;
  scale(type: string, ref: Ref, replicas: number, caller: Caller): Promise<ReportedObject>;
  health(type: string, ref: Ref, caller: Caller): Promise<Health>;
  importObject(type: string, id: string, caller: Caller): Promise<ReportedObject | undefined>;
  list(type: string, caller: Caller): Promise<readonly ReportedObject[]>;
  setOwner(type: string, ref: Ref, owner: string, caller: Caller): Promise<void>;
  troubleshoot(type: string, ref: Ref, failure: string, caller: Caller): Promise<readonly TroubleReport[]>;
  /** Runs a hook of the provider itself. `timeoutMs` counts where the caller sets no deadline. @default 2 min */
  withContext<Result>(
    caller: Caller,
    run: (context: CallContext<unknown>) => Promise<Result>,
    timeoutMs?: number,
  ): Promise<Result>;
  /** The definition of a type, or a refusal. */
  resource(type: string): Resource<unknown>;
}

export function createOperations(environment: Environment): Operations {
  const { provider, instances, runs, clock, log, ending } = environment;
  const resources = new Map(provider.resources.map((resource) => [resource.type, resource]));

  const resourceOf = (type: string): Resource<unknown> => {
    if (type === "") throw new CallRefusal("type_missing", "", "The request names no resource type");
    const resource = resources.get(type);
    if (resource !== undefined) return resource;
    const known = [...resources.keys()].join(", ");
    throw new CallRefusal(
      "type_unknown",
      type,
      `Provider ${provider.name} has no driver for "${type}", only for ${known}`,
    );
  };

  const withContext = async <Result>(
    caller: Caller,
    run: (context: CallContext<unknown>) => Promise<Result>,
    defaultTimeoutMs: number = defaultTimeoutsMs.read,
  ): Promise<Result> => {
    const instance = instances.get(caller.instance);
    if (instance === undefined) {
      const which = caller.instance === "" ? "" : ` "${caller.instance}"`;
      const message = `Configuration${which} of provider ${provider.name} is not open`;
      throw new CallRefusal("not_configured", caller.instance, message);
    }
    const stopping = caller.run === "" ? ending : AbortSignal.any([runs.enter(caller.run, caller.instance), ending]);
    const call = openCall(instance, caller, { clock, log: instance.log, stopping, defaultTimeoutMs });
    try {
      return await endWithin(call.context.signal, run(call.context));
    } catch (error) {
      throw error instanceof CallRefusal ? error : toFailure(error, call.context.signal, call.partial());
    } finally {
      call.end();
      if (caller.run !== "") runs.leave(caller.run, caller.instance);
    }
  };

  const timeoutOf = (resource: Resource<unknown>, operation: keyof typeof defaultTimeoutsMs): number =>
    resource.timeouts?.[operation] ?? defaultTimeoutsMs[operation];

  const desiredOf = (resource: Resource<unknown>, spec: Spec, unresolved: "allow" | "refuse") => ({
    name: spec.name,
    input: requireInput<JsonObject>(resource.input, spec.config, `${resource.type} "${spec.name}"`, {
      kind: "resource",
      unresolved,
    }),
    size: spec.size,
    hints: spec.hints,
    dependsOn: spec.dependsOn,
  });

  const operations: Operations = {
    resource: resourceOf,
    withContext,

    async create(type, spec, caller) {
      const resource = resourceOf(type);
      const desired = desiredOf(resource, spec, "refuse");
      return withContext(
        caller,
        async (context) => {
          const answer = await resource.create(desired, context);
          if (isAlreadyExists(answer)) throw new ProviderFailure("already_exists", answer.message);
          return reportObject(resource, answer, { name: spec.name, caller, applied: desired.input, log });
        },
        timeoutOf(resource, "create"),
      );
    },

    async read(type, ref, caller) {
      const resource = resourceOf(type);
      return withContext(
        caller,
        async (context) => {
          const answer = await resource.read({ name: ref.name, id: ref.providerId }, context);
          return isNotFound(answer) ? undefined : reportObject(resource, answer, { name: ref.name, caller, log });
        },
        timeoutOf(resource, "read"),
      );
    },

    async update(type, ref, spec, caller) {
      const resource = resourceOf(type);
      const desired = desiredOf(resource, spec, "refuse");
      return withContext(
        caller,
        async (context) => {
          const answer = await resource.update({ name: ref.name, id: ref.providerId }, desired, context);
          if (isNotFound(answer)) throw missingObject(type, ref, answer);
          return reportObject(resource, answer, { name: ref.name, caller, applied: desired.input, log });
        },
        timeoutOf(resource, "update"),
      );
    },

    async delete(type, ref, caller) {
      const resource = resourceOf(type);
      await withContext(
        caller,
        async (context) => {
          await resource.delete({ name: ref.name, id: ref.providerId }, context);
        },
        timeoutOf(resource, "delete"),
      );
    },

    async diff(type, spec, current, caller) {
      const resource = resourceOf(type);
      try {
        const desired = desiredOf(resource, spec, "allow");
        const inputs = current.inputs;
        const known = { id: current.providerId, outputs: current.outputs, inputs };
        const standard = compareInputs(resource, desired, known);
        if (resource.diff === undefined) return standard;
        const stripped = inputs === undefined ? undefined : stripReserved(inputs, resource.input, "resource");
        const answer = resource.diff(desired, { ...known, inputs: stripped }, standard);
        const finished = finish(resource, answer.changes);
        return {
          changes: finished.changes,
          needsUpdate: answer.needsUpdate ?? finished.needsUpdate,
          needsReplace: answer.needsReplace ?? finished.needsReplace,
        };
      } catch (error) {
        throw toFailure(error, caller.signal, undefined);
      }
    },

    async lookup(type, { token, name, owner }, caller) {
      const resource = resourceOf(type);
      if (resource.lookup === undefined)
        throw new CallRefusal("not_implemented", type, `${type} cannot be looked up by client token`);
      return withContext(caller, async (context) => {
        const query = { token, name, owner: owner === "" ? undefined : owner };
        const answer = await resource.lookup!(query, context);
        return isNotFound(answer) ? undefined : reportObject(resource, answer, { name, caller, log });
      });
    },

    async scale(type, ref, replicas, caller) {
      const resource = resourceOf(type);
      if (resource.scale === undefined) throw new CallRefusal("not_implemented", type, `${type} cannot be scaled`);
      if (replicas < 0)
        throw new ProviderFailure("validation", `Replicas of ${type} "${ref.name}" must not be negative`);
      return withContext(
        caller,
        async (context) => {
          const answer = await resource.scale!({ name: ref.name, id: ref.providerId }, replicas, context);
          if (isNotFound(answer)) throw missingObject(type, ref, answer);
          return reportObject(resource, answer, { name: ref.name, caller, log });
        },
        timeoutOf(resource, "update"),
      );
    },

    async health(type, ref, caller) {
      const resource = resourceOf(type);
      return withContext(caller, async (context) => {
        const object = { name: ref.name, id: ref.providerId };
        if (resource.health !== undefined) return resource.health(object, context);
        const answer = await resource.read(object, context);
        if (isNotFound(answer)) throw missingObject(type, ref, answer);
        const status = answer.status ?? "running";
        return { healthy: status === "running", message: status };
      });
    },

    async importObject(type, id, caller) {
      const resource = resourceOf(type);
      return withContext(caller, async (context) => {
        const answer =
          resource.import === undefined
            ? await resource.read({ name: "", id }, context)
            : await resource.import(id, context);
        return isNotFound(answer)
          ? undefined
          : reportObject(resource, answer, { name: answer.name ?? "", caller, log });
      });
    },

    async list(type, caller) {
      const resource = resourceOf(type);
      if (resource.list === undefined) throw new CallRefusal("not_implemented", type, `${type} cannot be listed`);
      return withContext(caller, async (context) => {
        const objects: ReportedObject[] = [];
        for await (const state of resource.list!(context)) {
          objects.push(reportObject(resource, state, { name: state.name ?? "", caller, log }));
        }
        return objects;
      });
    },

    async setOwner(type, ref, owner, caller) {
      const resource = resourceOf(type);
      if (resource.setOwner === undefined)
        throw new CallRefusal("not_implemented", type, `${type} carries no ownership mark`);
      await withContext(caller, async (context) => {
        const answer = await resource.setOwner!({ name: ref.name, id: ref.providerId }, owner, context);
        if (isNotFound(answer)) throw missingObject(type, ref, answer);
      });
    },

    async troubleshoot(type, ref, failure, caller) {
      const resource = resourceOf(type);
      if (resource.troubleshoot === undefined)
        throw new CallRefusal("not_implemented", type, `${type} has no troubleshooter`);
      return withContext(caller, (context) =>
        resource.troubleshoot!({ name: ref.name, id: ref.providerId }, failure, context),
      );
    },
  };
  return operations;
}

/** The failure of a call on an object that does not exist. */
export function missingObject(type: string, ref: Ref, answer?: NotFound): ProviderError {
  const which = ref.providerId === "" ? "" : ` (${ref.providerId})`;
  return new ProviderFailure("not_found", answer?.message ? answer.message : `${type} "${ref.name}"${which}`);
}

/** The work's end, or the signal's reason when the work does not end soon after the signal. */
async function endWithin<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const given = Promise.withResolvers<never>();
  const abort = (): void => {
    timer = setTimeout(() => given.reject(signal.reason), lastWordsMs);
  };
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, given.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    // What the abandoned work still throws has no one to go to.
    work.catch(() => {});
  }
}
