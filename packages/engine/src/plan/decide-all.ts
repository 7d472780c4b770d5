import {
  WfctlError,
  type DesiredResource,
  type Diagnostic,
  type JsonObject,
  type PlanNote,
  type ResourceRecord,
} from "@wfctl/model";
import { createGate } from "../graph/gate.ts";
import type { Provider } from "../ports/index.ts";
import type { SecretSet } from "../report/redact.ts";
import { decide } from "./decide.ts";
import { ask, type Decision } from "./decision.ts";
import { unknownNote } from "./drafts.ts";
import type { PlanInput } from "./plan-input.ts";
import { describeProviderFailure } from "./provider-failure.ts";
import type { OutputSource } from "./resolve.ts";
import type { Scope } from "./scope.ts";

/** Decides each wanted resource once its dependencies are decided. What fails becomes a diagnostic. */
export async function decideAll(
  order: readonly DesiredResource[],
  dependencies: ReadonlyMap<string, readonly string[]>,
  records: ReadonlyMap<string, ResourceRecord>,
  scope: Pick<Scope, "has">,
  input: PlanInput,
  diagnostics: Diagnostic[],
  notes: PlanNote[],
  secrets: SecretSet,
): Promise<ReadonlyMap<string, Decision>> {
  const decisions = new Map<string, Decision>();
  const pending = new Map<string, Promise<void>>();
  const call = createGate(input.parallelism ?? 10);
  const sizings = new Map<string, Promise<JsonObject | undefined> | JsonObject | undefined>();
  const imports = new Map((input.imports ?? []).map((request) => [request.to, request]));
  const holders = imports.size === 0 ? undefined : indexObjects(records);
  const source = (name: string): OutputSource => {
    const decision = decisions.get(name);
    if (decision !== undefined) return decision.outputs;
    return { record: records.get(name), known: records.has(name) ? "known" : "unknown" };
  };
  const settleDecision = (resource: DesiredResource, decision: Decision): void => {
    decisions.set(resource.name, decision);
    for (const missing of decision.missing) {
      diagnostics.push({
        severity: "error",
        code: "REFERENCE_UNRESOLVED",
        address: resource.name,
        path: `/config${missing.pointer}`,
        ...explainMissing(missing.part, resource.name, input),
        ...(resource.source === undefined ? {} : { source: resource.source }),
      });
    }
  };
  const fail = (resource: DesiredResource, thrown: unknown): void => {
    if (thrown instanceof WfctlError && thrown.diagnostics.length > 0) {
      diagnostics.push(...thrown.diagnostics);
      return;
    }
    const error = describeProviderFailure("plan", resource, thrown);
    diagnostics.push({
      severity: "error",
      code: error.code,
      address: resource.name,
      summary: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(resource.source === undefined ? {} : { source: resource.source }),
    });
  };
  const start = (resource: DesiredResource): Promise<void> | undefined => {
    if (input.state.unknown.has(resource.name)) {
      notes.push(unknownNote(resource.name, input.state));
      return undefined;
    }
    if (!scope.has(resource.name)) return undefined;
    const provider = input.providers.get(resource.provider);
    if (provider === undefined) throw new WfctlError("INTERNAL", `Provider "${resource.provider}" was not started`);
    try {
      const decision = decide(resource, {
        input,
        source,
        provider,
        record: records.get(resource.name),
        importing: imports.get(resource.name),
        holderOf: (wanted, providerId) => holders?.get(objectKey(wanted, providerId)),
        secrets,
        call,
        sizing: (from, sized) => sizingOf(from, sized, sizings, input),
      });
      if (!(decision instanceof Promise)) {
        settleDecision(resource, decision);
        return undefined;
      }
      return decision.then(
        (settled) => settleDecision(resource, settled),
        (thrown: unknown) => fail(resource, thrown),
      );
    } catch (thrown) {
      fail(resource, thrown);
      return undefined;
    }
  };
  for (const resource of order) {
    const waits = (dependencies.get(resource.name) ?? []).flatMap((name) => pending.get(name) ?? []);
    const work = waits.length === 0 ? start(resource) : Promise.all(waits).then(() => start(resource));
    if (work !== undefined)
      pending.set(
        resource.name,
        work.then(() => undefined),
      );
  }
  await Promise.all(pending.values());
  return decisions;
}

/** Records by the object that they have. */
function indexObjects(records: ReadonlyMap<string, ResourceRecord>): ReadonlyMap<string, ResourceRecord> {
  const index = new Map<string, ResourceRecord>();
  for (const record of records.values()) {
    for (const object of [record, ...record.deposed]) index.set(objectKey(object, object.providerId), record);
  }
  return index;
}

function objectKey({ provider, type }: { readonly provider: string; readonly type: string }, id: string): string {
  return JSON.stringify([provider, type, id]);
}

function sizingOf(
  provider: Provider,
  resource: DesiredResource,
  cache: Map<string, Promise<JsonObject | undefined> | JsonObject | undefined>,
  input: PlanInput,
): Promise<JsonObject | undefined> | JsonObject | undefined {
  const key = JSON.stringify([provider.module, resource.type, resource.size, resource.hints ?? null]);
  if (cache.has(key)) return cache.get(key);
  const work = ask(input, resource, (options) =>
    provider.resolveSizing(resource.type, resource.size ?? "", resource.hints, options),
  ).then((reply) => {
    const added: JsonObject | undefined =
      reply === undefined
        ? undefined
        : { ...(reply.instanceType === "" ? {} : { instance_type: reply.instanceType }), ...reply.specs };
    cache.set(key, added);
    return added;
  });
  cache.set(key, work);
  return work;
}

/** Why a reference or an expression has no value although nothing has to be waited for. */
function explainMissing(part: string, name: string, input: PlanInput): Pick<Diagnostic, "summary" | "hint"> {
  const known = input.missing?.get(part);
  if (known !== undefined) {
    return { summary: `Cannot resolve "\${${part}}" in "${name}": ${known.why}`, hint: known.hint };
  }
  if (part.startsWith("${{")) return { summary: `"${name}" holds ${part}`, hint: "Correct the expression" };
  if (part.includes(".")) {
    return {
      summary: `Cannot resolve "\${${part}}" in "${name}": the resource exists and has no such output`,
      hint: `Compare with "wfctl outputs" and correct the name; where the record lacks an output that the object has, read it anew with: wfctl apply --refresh`,
    };
  }
  return {
    summary: `Cannot resolve "\${${part}}" in "${name}": the environment variable is not set`,
    hint: `Set ${part} and try again`,
  };
}
