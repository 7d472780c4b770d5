import { create, fromBinary, toBinary, toJson } from "@bufbuild/protobuf";
import { WfctlError, type ActionResult, type ApplyResult, type Diagnostic, type JsonObject } from "@wfctl/model";
import * as iac from "./gen/workflow/plugin/external/iac/iac_pb.ts";
import * as lifecycle from "./gen/workflow/plugin/external/iac/iac_lifecycle_pb.ts";
import { actionStatuses } from "./codec/enums.ts";
import { WireFormatError } from "./codec/json.ts";
import { decodeOutput, encodeOutput } from "./codec/resource.ts";

export interface DecodeApplyResultOptions {
  /** How many actions the plan had. */
  readonly plannedActions: number;
  /** Who sent it, as the errors name it: `plugin "aws"`, `worker 3`. */
  readonly source: string;
}

/**
 * The strict decoder: exactly one valid end for each planned action, or an error.
 * Throws a `WfctlError`: PLUGIN_REPLY where the bytes are no such message, else BAD_RESULT with one diagnostic for each
 * thing that is wrong. The actions come back in plan order.
 */
export function decodeApplyResult(
  input: Uint8Array | lifecycle.ApplyResult,
  options: DecodeApplyResultOptions,
): ApplyResult {
  const { source } = options;
  const message = input instanceof Uint8Array ? decodeMessage(input, source) : input;
  const problems: string[] = [];
  const collect = <T>(what: string, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof WireFormatError)) throw error;
      problems.push(`${what}: ${error.message}`);
      return undefined;
    }
  };
  const actions = readActions(message.actions, options.plannedActions, problems, collect);
  const resources = message.resources.flatMap(
    (resource, index) => collect(`resource ${index}`, () => decodeOutput(resource)) ?? [],
  );
  if (problems.length > 0) throw badResult(source, problems);
  return {
    planId: message.planId,
    resources,
    errors: message.errors.map(({ resource, action, error }) => ({ resource, action, error })),
    initialInputSnapshot: message.initialInputSnapshot,
    inputDriftReport: message.inputDriftReport.map(({ name, planFingerprint, applyFingerprint }) => ({
      name,
      planFingerprint,
      applyFingerprint,
    })),
    replaceIdMap: message.replaceIdMap,
    actions,
  };
}

/** Throws a `WfctlError` INTERNAL where the result does not hold one end for each action from 0 on. */
export function encodeApplyResult(result: ApplyResult): Uint8Array {
  return toBinary(lifecycle.ApplyResultSchema, toMessage(result));
}

/** The result in protobuf's JSON: `planId`, `actions[].actionIndex`, statuses by their wire name. Throws as `encodeApplyResult`. */
export function applyResultToJson(result: ApplyResult): JsonObject {
  const message = toMessage(result);
  // Written here: the runtime's base64 makes one string per character, and takes seconds for a few megabytes.
  const outputs = message.resources.map(({ outputsJson }) => Buffer.from(outputsJson).toString("base64"));
  for (const resource of message.resources) resource.outputsJson = new Uint8Array(0);
  const json = toJson(lifecycle.ApplyResultSchema, message, { alwaysEmitImplicit: true }) as JsonObject;
  const resources = json["resources"] as readonly JsonObject[];
  return { ...json, resources: resources.map((each, index) => ({ ...each, outputsJson: outputs[index] ?? "" })) };
}

function toMessage(result: ApplyResult): lifecycle.ApplyResult {
  const indexes = new Set(result.actions.map(({ actionIndex }) => actionIndex));
  if (indexes.size !== result.actions.length || !result.actions.every((_, index) => indexes.has(index))) {
    throw new WfctlError(
      "INTERNAL",
      `Cannot encode an apply result whose ${result.actions.length} ends do not fill the slots 0 to ${result.actions.length - 1}`,
    );
  }
  return create(lifecycle.ApplyResultSchema, {
    planId: result.planId,
    resources: result.resources.map(encodeOutput),
    errors: result.errors.map((error) => create(iac.ActionErrorSchema, { ...error })),
    initialInputSnapshot: { ...result.initialInputSnapshot },
    inputDriftReport: result.inputDriftReport.map((entry) => create(iac.DriftEntrySchema, { ...entry })),
    replaceIdMap: { ...result.replaceIdMap },
    actions: result.actions.map(({ actionIndex, status, error }) => ({
      actionIndex,
      status: actionStatuses.toWire(status),
      error,
    })),
  });
}

/** More missing slots than this are only counted. */
const maxMissingNamed = 20;

function readActions(
  messages: readonly lifecycle.ActionResult[],
  planned: number,
  problems: string[],
  collect: <T>(what: string, read: () => T) => T | undefined,
): ActionResult[] {
  const results: ActionResult[] = [];
  const seen = new Set<number>();
  if (messages.length !== planned)
    problems.push(`it holds ${messages.length} action results for ${planned} planned actions`);
  for (const { actionIndex, status: number, error } of messages) {
    const what = `action ${actionIndex}`;
    if (actionIndex >= planned) problems.push(`${what}: the plan has ${planned} actions, counted from 0`);
    else if (seen.has(actionIndex)) problems.push(`${what}: has more than one result`);
    seen.add(actionIndex);
    const status = collect(what, () => actionStatuses.fromWire(number, "ActionResult.status"));
    if (status !== undefined) results.push({ actionIndex, status, error });
  }
  const missing: number[] = [];
  for (let index = 0; index < planned && missing.length < maxMissingNamed; index += 1) {
    if (!seen.has(index)) missing.push(index);
  }
  for (const index of missing) problems.push(`action ${index}: has no result`);
  return results.toSorted((a, b) => a.actionIndex - b.actionIndex);
}

function decodeMessage(bytes: Uint8Array, source: string): lifecycle.ApplyResult {
  try {
    return fromBinary(lifecycle.ApplyResultSchema, bytes);
  } catch (cause) {
    throw new WfctlError("PLUGIN_REPLY", `Apply result of ${source} cannot be decoded`, { cause });
  }
}

function badResult(source: string, problems: readonly string[]): WfctlError {
  const more = problems.length === 1 ? "" : ` (and ${problems.length - 1} more)`;
  const diagnostics = problems.map((problem): Diagnostic => ({
    severity: "error",
    code: "BAD_RESULT",
    summary: `Apply result of ${source}: ${problem}`,
  }));
  return new WfctlError("BAD_RESULT", `Apply result of ${source} is refused: ${problems[0]}${more}`, { diagnostics });
}
