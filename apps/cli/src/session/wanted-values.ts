import { boundExpressions, type StackConfig } from "@wfctl/config";
import { evaluate, outputOf, sensitivePointersOf, type Provider } from "@wfctl/engine";
import {
  getAtPointer,
  sizeTiers,
  type DesiredResource,
  type Json,
  type JsonObject,
  type ResourceRecord,
} from "@wfctl/model";
import type { Context } from "../context.ts";
import { stackEnv } from "./stack-env.ts";

/** What the stack file wants at one place of a resource's configuration. */
export interface WantedValue {
  /** Absent where it says nothing there. What has no value yet is as it is written. */
  readonly value?: Json;
  readonly sensitive: boolean;
}

/** What the stack file wants of one resource, with the values that variables and recorded outputs have. */
export interface WantedResource {
  readonly resource: DesiredResource;
  at(pointer: string): WantedValue;
  /** The same with what the size of the resource adds, as its provider says. Asks the provider at most once. */
  sized(provider: Provider, call: { readonly run: string; readonly signal: AbortSignal }): Promise<WantedResource>;
}

/** By resource name. Names that the stack file does not have give undefined. */
export function createWanted(
  stack: StackConfig,
  records: ReadonlyMap<string, ResourceRecord>,
  context: Pick<Context, "env">,
): (name: string) => WantedResource | undefined {
  const env = stackEnv(stack, context);
  const bounded = boundExpressions();
  const byName = new Map(stack.resources.map((resource) => [resource.name, resource]));
  return (name) => {
    const resource = byName.get(name);
    if (resource === undefined) return undefined;
    const { value, sensitive, unresolved } = evaluate(resource.config as JsonObject, {
      env,
      bounded,
      output(other, path) {
        const record = records.get(other);
        return record === undefined ? undefined : outputOf(record, path);
      },
    });
    const config = value as JsonObject;
    return createResource(resource, config, {
      sensitive: [...sensitive, ...sensitivePointersOf(config, undefined)],
      open: unresolved.map((entry) => entry.pointer),
    });
  };
}

function createResource(
  resource: DesiredResource,
  config: JsonObject,
  known: { readonly sensitive: readonly string[]; readonly open: readonly string[] },
): WantedResource {
  return {
    resource,
    at(pointer) {
      const written = known.open.some((one) => touches(one, pointer)) ? (resource.config as JsonObject) : config;
      const value = getAtPointer(written, pointer);
      return {
        ...(value === undefined ? {} : { value }),
        sensitive: known.sensitive.some((one) => touches(one, pointer)),
      };
    },
    async sized(provider, call) {
      const { size, type, hints } = resource;
      if (size === undefined || !(sizeTiers as readonly string[]).includes(size)) return this;
      const reply = await provider.resolveSizing(type, size, hints, { ...call, timeoutMs: 120_000 });
      if (reply === undefined) return this;
      const added = { ...(reply.instanceType === "" ? {} : { instance_type: reply.instanceType }), ...reply.specs };
      return createResource(resource, { ...added, ...config }, known);
    },
  };
}

function touches(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}
