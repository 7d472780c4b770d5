import {
  ProviderError,
  WfctlError,
  jsonEqual,
  sizeTiers,
  type ActionKind,
  type DesiredResource,
  type ErrorCode,
  type FieldChange,
  type Json,
  type JsonObject,
  type ProviderErrorClass,
  type ReplaceMode,
  type ResourceRecord,
} from "@wfctl/model";
import type { CallOptions, DiffReply, LiveObject, Provider, TypeTraits } from "../ports/index.ts";
import { fingerprint } from "./fingerprint.ts";
import { isIgnored } from "./ignore-changes.ts";
import type { PlanInput } from "./plan-stack.ts";
import { dependenciesOf, resolveConfig, toSpec, type OutputSource, type ResolvedConfig } from "./resolve.ts";

/** What the planner makes of one wanted resource. */
export interface Decision {
  readonly kind: ActionKind | "none";
  readonly changes: readonly FieldChange[];
  readonly reasons: readonly string[];
  readonly sizing?: JsonObject | undefined;
  readonly unknown: readonly string[];
  readonly replaceMode?: ReplaceMode | undefined;
  readonly force?: boolean;
  /** The record as it would stand without any call: written at the start of the run where it differs. */
  readonly settle?: ResourceRecord;
  /** What consumers see of its outputs. */
  readonly outputs: OutputSource;
  /** The record was confirmed or read now. */
  readonly missing: ResolvedConfig["missing"];
}

export interface DecideContext {
  readonly input: PlanInput;
  readonly source: (name: string) => OutputSource;
  readonly provider: Provider;
  readonly record: ResourceRecord | undefined;
  readonly sizing: (
    provider: Provider,
    resource: DesiredResource,
  ) => Promise<JsonObject | undefined> | JsonObject | undefined;
  /** Bounds the calls that planning has open at once. */
  readonly call: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Decides without a call where it can, so that an unchanged resource costs no promise. */
export function decide(resource: DesiredResource, context: DecideContext): Decision | Promise<Decision> {
  const sizing = needsSizing(resource) ? context.sizing(context.provider, resource) : undefined;
  if (sizing instanceof Promise) return sizing.then((resolved) => decideSized(resource, context, resolved));
  return decideSized(resource, context, sizing);
}

function needsSizing(resource: DesiredResource): boolean {
  return resource.size !== undefined && (sizeTiers as readonly string[]).includes(resource.size);
}

function decideSized(
  resource: DesiredResource,
  context: DecideContext,
  sizing: JsonObject | undefined,
): Decision | Promise<Decision> {
  const { input, provider, record } = context;
  const traits = provider.traits(resource.type);
  const resolved = resolveConfig(resource, {
    env: input.env,
    source: context.source,
    sizing,
    recordedInputs: record?.inputs,
    traits,
  });
  const base = { sizing, unknown: [...resolved.unknown.keys()], missing: resolved.missing };
  if (resource.existing) return context.call(() => readExisting(resource, context, base));
  if (record === undefined) {
    if (!resource.adoptExisting && !isAdoptedByType(resource.type)) return createDecision(base, ["it does not exist"]);
    return context.call(() => decideAdoption(resource, context, resolved, base));
  }
  const replaceMode = replaceModeOf(resource, traits);
  const replace = (reasons: readonly string[], changes: readonly FieldChange[] = []): Decision => ({
    ...base,
    kind: "replace",
    changes,
    reasons,
    replaceMode,
    outputs: { record, known: "unknown" },
  });
  if (record.type !== resource.type) return replace([`its type changes from ${record.type} to ${resource.type}`]);
  if (record.providerName !== "" && record.providerName !== provider.name) {
    return replace([`its provider changes from ${record.providerName} to ${provider.name}`]);
  }
  if (record.provider !== resource.provider && record.providerIdentity !== provider.identity) {
    return replace([
      `its provider module changes from ${record.provider} to ${resource.provider}, another account or region`,
    ]);
  }
  if (record.mark === "tainted")
    return replace([`it is tainted: ${record.markReason ?? "an earlier run left it incomplete"}`]);
  if (input.replace.has(resource.name)) return replace(["--replace names it"]);
  const forced = record.mark === "dirty" && record.markReason === finalizerOwedReason;
  const digest =
    resolved.unknown.size === 0 ? fingerprint(input.digester, provider, resource, resolved.config) : undefined;
  const revisit = record.revisitAt !== undefined && Date.parse(record.revisitAt) <= input.clock.now();
  if (
    record.mark === undefined &&
    !input.refresh &&
    !revisit &&
    digest === record.fingerprint &&
    resolved.mayChange.size === 0
  ) {
    return {
      ...base,
      kind: "none",
      changes: [],
      reasons: [],
      ...settled(resource, record, digest),
      outputs: { record, known: "known" },
    };
  }
  return context.call(() => compare(resource, context, { resolved, digest, revisit, forced, traits, replace, base }));
}

export const finalizerOwedReason = "finalizer owed";

async function compare(
  resource: DesiredResource,
  context: DecideContext,
  facts: {
    readonly resolved: ResolvedConfig;
    readonly digest: string | undefined;
    readonly revisit: boolean;
    readonly forced: boolean;
    readonly traits: TypeTraits | undefined;
    readonly replace: (reasons: readonly string[], changes: readonly FieldChange[]) => Decision;
    readonly base: Pick<Decision, "sizing" | "unknown" | "missing">;
  },
): Promise<Decision> {
  const { input, provider, record } = context;
  if (record === undefined) throw new WfctlError("INTERNAL", `No record of "${resource.name}" to compare with`);
  const mustRead = input.refresh || facts.revisit || record.mark !== undefined;
  let current: LiveObject = recordToLive(record);
  let live: LiveObject | undefined;
  if (mustRead) {
    live = await provider.read(
      { name: resource.name, type: resource.type, providerId: record.providerId },
      readOptions(resource, input),
    );
    if (live === undefined) return createDecision(facts.base, ["it is gone from the cloud"]);
    current = live;
  }
  const reply = await provider.diff(
    toSpec(resource, facts.resolved.config),
    withInputs(current, record),
    readOptions(resource, input),
  );
  const changes = describeChanges(reply, facts.resolved, resource.lifecycle.ignoreChanges, record);
  const refreshed =
    live === undefined ? record : refreshRecord(record, live, new Date(input.clock.now()).toISOString());
  const reasons = [...markReasons(record), ...(facts.revisit ? ["its time to be looked at again has come"] : [])];
  const acts = changes.length > 0 || (reply.changes.length === 0 && (reply.needsUpdate || reply.needsReplace));
  if (acts && (reply.needsReplace || changes.some((change) => change.forceNew))) {
    return facts.replace(
      [
        ...changes.filter((change) => change.forceNew).map((change) => `${change.path} cannot be changed in place`),
        ...reasons,
      ],
      changes,
    );
  }
  if (acts || facts.forced) {
    return {
      ...facts.base,
      kind: "update",
      changes,
      reasons: [...changeReasons(changes), ...reasons],
      ...(facts.forced ? { force: true } : {}),
      outputs: { record: refreshed, known: "may-change" },
    };
  }
  if (facts.resolved.mayChange.size > 0 || facts.resolved.unknown.size > 0) {
    const waiting = [...facts.resolved.mayChange, ...facts.resolved.unknown];
    return {
      ...facts.base,
      kind: "update",
      changes: waiting.map(([pointer]) => ({ path: pointerToDotted(pointer), forceNew: false, unknown: true })),
      reasons: waiting.map(([, part]) => `it uses ${part}, which may change in this run`),
      unknown: waiting.map(([pointer]) => pointer),
      outputs: { record: refreshed, known: "may-change" },
    };
  }
  const clean = cleanRecord(refreshed);
  const outputsChanged = !jsonEqual(clean.outputs, record.outputs) || clean.providerId !== record.providerId;
  return {
    ...facts.base,
    kind: "none",
    changes: [],
    reasons: [],
    ...settled(
      resource,
      clean,
      facts.digest ?? record.fingerprint,
      outputsChanged || record.mark !== undefined || mustRead ? record : undefined,
    ),
    outputs: { record: clean, known: "known" },
  };
}

async function decideAdoption(
  resource: DesiredResource,
  context: DecideContext,
  resolved: ResolvedConfig,
  base: Pick<Decision, "sizing" | "unknown" | "missing">,
): Promise<Decision> {
  const { provider, input } = context;
  const live = await provider.read(
    { name: resource.name, type: resource.type, providerId: adoptionId(resource, resolved.config) },
    readOptions(resource, input),
  );
  if (live === undefined) return createDecision(base, ["it does not exist"]);
  const reply = await provider.diff(toSpec(resource, resolved.config), live, readOptions(resource, input));
  const changes = describeChanges(reply, resolved, resource.lifecycle.ignoreChanges);
  const record = { providerId: live.providerId, outputs: live.outputs, sensitiveOutputs: live.sensitive };
  return {
    ...base,
    kind: "adopt",
    changes,
    reasons: [`an object of this name exists and is taken over (id ${live.providerId})`],
    outputs: { record, known: changes.length > 0 ? "may-change" : "known" },
  };
}

async function readExisting(
  resource: DesiredResource,
  context: DecideContext,
  base: Pick<Decision, "sizing" | "unknown" | "missing">,
): Promise<Decision> {
  const { provider, input, record } = context;
  const id = record?.providerId ?? adoptionId(resource, resource.config as JsonObject);
  const live = await provider.read(
    { name: resource.name, type: resource.type, providerId: id },
    readOptions(resource, input),
  );
  if (live === undefined) {
    throw new WfctlError(
      "NOT_FOUND",
      `Cannot read "${resource.name}": no ${resource.type} of this name exists, and "existing: true" never creates one`,
      {
        address: resource.name,
        hint: 'Create the object, correct the name or id, or remove "existing: true"',
      },
    );
  }
  const same = record !== undefined && record.providerId === live.providerId && jsonEqual(record.outputs, live.outputs);
  return {
    ...base,
    kind: same ? "none" : "read",
    changes: [],
    reasons: same ? [] : [record === undefined ? "it is read for its outputs" : "its outputs changed"],
    outputs: {
      record: { providerId: live.providerId, outputs: live.outputs, sensitiveOutputs: live.sensitive },
      known: "known",
    },
  };
}

function createDecision(base: Pick<Decision, "sizing" | "unknown" | "missing">, reasons: readonly string[]): Decision {
  return { ...base, kind: "create", changes: [], reasons, outputs: { record: undefined, known: "unknown" } };
}

/** Types whose objects upstream always looks for before it creates them. */
function isAdoptedByType(type: string): boolean {
  return type === "infra.dns" || type === "infra.dns_delegation";
}

/** Where a plan looks for an object to take over: DNS zones by configured id or domain, all else by name. */
export function adoptionId(resource: Pick<DesiredResource, "type">, config: JsonObject): string {
  const given = config["provider_id"];
  if (typeof given === "string") return given;
  const domain = config["domain"];
  return isAdoptedByType(resource.type) && typeof domain === "string" ? domain : "";
}

function replaceModeOf(resource: DesiredResource, traits: TypeTraits | undefined): ReplaceMode {
  return resource.lifecycle.replace ?? (traits?.createFirst === true ? "create-first" : "delete-first");
}

export function readOptions(
  resource: Pick<DesiredResource, "timeouts">,
  input: Pick<PlanInput, "signal" | "runId">,
): CallOptions {
  return {
    timeoutMs: resource.timeouts.read ?? 120_000,
    run: input.runId,
    ...(input.signal === undefined ? {} : { signal: input.signal }),
  };
}

export function recordToLive(record: ResourceRecord): LiveObject {
  return {
    name: record.name,
    type: record.type,
    providerId: record.providerId,
    outputs: record.outputs,
    sensitive: [],
    status: "",
    ...(record.inputs === undefined ? {} : { inputs: record.inputs }),
  };
}

function withInputs(live: LiveObject, record: ResourceRecord): LiveObject {
  return live.inputs !== undefined || record.inputs === undefined ? live : { ...live, inputs: record.inputs };
}

/** The record with what a Read just gave. */
export function refreshRecord(record: ResourceRecord, live: LiveObject, readAt: string): ResourceRecord {
  return {
    ...record,
    providerId: live.providerId === "" ? record.providerId : live.providerId,
    outputs: { ...record.outputs, ...live.outputs },
    sensitiveOutputs: [...new Set([...record.sensitiveOutputs, ...live.sensitive])],
    readAt,
    ...(live.revisitAt === undefined ? {} : { revisitAt: live.revisitAt }),
  };
}

function cleanRecord(record: ResourceRecord): ResourceRecord {
  const { mark: _mark, markReason: _reason, ...rest } = record;
  return rest;
}

/** The record with today's edges, protection and digest, where that differs from what is stored. */
function settled(
  resource: DesiredResource,
  record: ResourceRecord,
  digest: string,
  changedFrom?: ResourceRecord,
): { settle?: ResourceRecord } {
  const dependencies = dependenciesOf(resource);
  const retain = resource.lifecycle.retain === true;
  const same =
    changedFrom === undefined &&
    record.fingerprint === digest &&
    record.protected === resource.protected &&
    record.retain === retain &&
    record.provider === resource.provider &&
    dependencies.length === record.dependencies.length &&
    dependencies.every((name, index) => record.dependencies[index] === name);
  if (same) return {};
  return {
    settle: {
      ...record,
      dependencies,
      retain,
      protected: resource.protected,
      fingerprint: digest,
      provider: resource.provider,
    },
  };
}

function describeChanges(
  reply: DiffReply,
  resolved: ResolvedConfig,
  ignored: readonly string[] | undefined,
  record?: Pick<ResourceRecord, "sensitiveInputs" | "sensitiveOutputs">,
): FieldChange[] {
  const waiting = [...resolved.unknown.keys(), ...resolved.mayChange.keys()].map(pointerToDotted);
  const secret = [
    ...[...resolved.sensitive, ...(record?.sensitiveInputs ?? [])].map(pointerToDotted),
    ...(record?.sensitiveOutputs ?? []),
  ];
  const under = (path: string, roots: readonly string[]): boolean =>
    roots.some((root) => path === root || path.startsWith(`${root}.`) || root.startsWith(`${path}.`));
  return reply.changes
    .filter((change) => !isIgnored(change.path, ignored))
    .map((change) => ({
      path: change.path,
      ...(change.old === undefined ? {} : { old: change.old }),
      ...(change.new === undefined ? {} : { new: change.new }),
      forceNew: change.forceNew,
      ...(under(change.path, secret) || isPlaceholder(change.old) ? { sensitive: true } : {}),
      ...(under(change.path, waiting) ? { unknown: true } : {}),
    }));
}

function isPlaceholder(value: Json | undefined): boolean {
  return typeof value === "string" && value.startsWith("secret_ref://");
}

function changeReasons(changes: readonly FieldChange[]): string[] {
  return changes.length === 0
    ? []
    : [`${changes.map((change) => change.path).join(", ")} ${changes.length === 1 ? "changes" : "change"}`];
}

function markReasons(record: ResourceRecord): string[] {
  if (record.mark === undefined) return [];
  if (record.mark === "dirty") return [record.markReason ?? "its last update did not end"];
  return [`it was ${record.mark} and is compared with the configuration`];
}

function pointerToDotted(pointer: string): string {
  return pointer.slice(1).replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~");
}

export function describeProviderFailure(
  action: string,
  resource: Pick<DesiredResource, "name" | "type">,
  thrown: unknown,
): WfctlError {
  if (thrown instanceof WfctlError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const code = thrown instanceof ProviderError ? providerErrorCodes[thrown.class] : "INTERNAL";
  return new WfctlError(code, `Cannot ${action} "${resource.name}" (${resource.type}): ${text}`, {
    address: resource.name,
    cause: thrown,
  });
}

/** The outcome code of a provider error, class by class. */
export const providerErrorCodes: Readonly<Record<ProviderErrorClass, ErrorCode>> = {
  validation: "VALIDATION",
  unauthorized: "UNAUTHORIZED",
  forbidden: "FORBIDDEN",
  image_missing: "IMAGE_MISSING",
  already_exists: "ALREADY_EXISTS",
  not_found: "NOT_FOUND",
  unsupported: "UNSUPPORTED",
  rate_limited: "RATE_LIMITED",
  transient: "TRANSIENT",
  unknown: "PROVIDER_ERROR",
  deadline: "OUTCOME_UNKNOWN",
  cancelled: "CANCELLED",
  plugin_exit: "PLUGIN_EXITED",
  bad_reply: "BAD_RESULT",
};
