import {
  decodeDiff,
  decodeFailureTrailers,
  decodeOutput,
  decodeReplyTrailers,
  encodeOutput,
  encodeRef,
  encodeSpec,
  iac,
  type CallContext,
  type DiffReply,
  type LiveObject,
} from "@wfctl/contract";
import type { JsonObject } from "@wfctl/model";
import type { Sample } from "../config/sample.ts";
import { Problem } from "../scenario.ts";
import { call, describeStatus, responseOf, type Ended } from "./call.ts";
import type { RawPlugin } from "./raw-plugin.ts";

const { ResourceDriver } = iac;
const sentinelNotFound = "iac: resource not found";

export interface Ref {
  readonly name: string;
  readonly type: string;
  readonly providerId: string;
}

/** An answer that no host could use is a `Problem`: without its inner message, of another name or type, with outputs that are no object. */
export function readObject(
  name: string,
  ended: Ended<{ output?: iac.ResourceOutput | undefined }>,
  ref: Pick<Ref, "name" | "type">,
): LiveObject {
  const { output } = responseOf(name, ended);
  if (output === undefined)
    throw new Problem(`${name} answered OK without its output; it should answer with one or fail`);
  if (output.name !== "" && output.name !== ref.name) {
    throw new Problem(
      `${name} of "${ref.name}" answered with the name "${output.name}"; it should be the same or empty`,
    );
  }
  if (output.type !== "" && output.type !== ref.type) {
    throw new Problem(`${name} of type ${ref.type} answered with type ${output.type}; it should be the same or empty`);
  }
  let object: LiveObject;
  try {
    object = { ...decodeOutput(output), ...(ended.ok ? decodeReplyTrailers(ended.trailers) : {}) };
  } catch (error) {
    throw new Problem(`${name} answered with what cannot be read: ${(error as Error).message}`);
  }
  if (object.providerId === "") throw new Problem(`${name} of "${ref.name}" answered without a provider_id`);
  return object;
}

export function tryCreate(
  plugin: RawPlugin,
  sample: Pick<Sample, "type" | "timeoutMs">,
  name: string,
  config: JsonObject,
  context?: CallContext,
): Promise<Ended<iac.ResourceCreateResponse>> {
  const spec = encodeSpec({ name, type: sample.type, config, dependsOn: [] });
  const options = { timeoutMs: sample.timeoutMs, ...(context === undefined ? {} : { context }) };
  return call(plugin, ResourceDriver.method.create, { resourceType: sample.type, spec }, options);
}

export function tryRead(plugin: RawPlugin, ref: Ref, context?: CallContext): Promise<Ended<iac.ResourceReadResponse>> {
  const request = { resourceType: ref.type, ref: encodeRef(ref) };
  return call(plugin, ResourceDriver.method.read, request, context === undefined ? {} : { context });
}

/** Undefined where the plugin says in either form that the object is not there. */
export async function read(plugin: RawPlugin, ref: Ref, context?: CallContext): Promise<LiveObject | undefined> {
  const ended = await tryRead(plugin, ref, context);
  if (!ended.ok && saysAbsent(ended)) return undefined;
  return readObject("Read", ended, ref);
}

export function tryUpdate(
  plugin: RawPlugin,
  sample: Sample,
  ref: Ref,
  config: JsonObject,
): Promise<Ended<iac.ResourceUpdateResponse>> {
  const spec = encodeSpec({ name: ref.name, type: ref.type, config, dependsOn: [] });
  const request = { resourceType: ref.type, ref: encodeRef(ref), spec };
  return call(plugin, ResourceDriver.method.update, request, { timeoutMs: sample.timeoutMs });
}

export function tryDelete(
  plugin: RawPlugin,
  sample: Pick<Sample, "timeoutMs">,
  ref: Ref,
): Promise<Ended<iac.ResourceDeleteResponse>> {
  const request = { resourceType: ref.type, ref: encodeRef(ref) };
  return call(plugin, ResourceDriver.method.delete, request, { timeoutMs: sample.timeoutMs });
}

/** `current` as hosts send it: recorded outputs, nothing marked as sensitive. */
export async function diff(
  plugin: RawPlugin,
  ref: Pick<Ref, "name" | "type">,
  config: JsonObject,
  current: LiveObject,
): Promise<DiffReply> {
  const desired = encodeSpec({ name: ref.name, type: ref.type, config, dependsOn: [] });
  const known = encodeOutput({ ...current, name: ref.name, type: ref.type, sensitive: [] });
  const request = { resourceType: ref.type, desired, current: known };
  const reply = responseOf("Diff", await call(plugin, ResourceDriver.method.diff, request));
  try {
    return decodeDiff(reply.result);
  } catch (error) {
    throw new Problem(`Diff answered with what cannot be read: ${(error as Error).message}`);
  }
}

/** By the sentinel first, as every host looks for it, then by the code with no word of the type. */
export function saysAbsent(ended: Ended<unknown>): boolean {
  return !ended.ok && ended.error.class === "not_found";
}

export function hasSentinel(ended: Ended<unknown>, text: string = sentinelNotFound): boolean {
  return !ended.ok && ended.message.includes(text);
}

/** What a failed call says that it had already made. */
export function partialOf(ended: Ended<unknown>): { providerId: string } | undefined {
  return ended.ok ? undefined : decodeFailureTrailers(ended.trailers).partial;
}

export function describeEnd(ended: Ended<unknown>): string {
  return ended.ok ? "success" : describeStatus(ended);
}

export function isQuiet(reply: DiffReply): boolean {
  return !reply.needsUpdate && !reply.needsReplace;
}

export function describeDiff(reply: DiffReply): string {
  const paths = reply.changes.map(({ path }) => path || "(no path)").join(", ");
  const kind = reply.needsReplace ? "a replace" : reply.needsUpdate ? "an update" : "no change";
  return paths === "" ? kind : `${kind} of ${paths}`;
}
