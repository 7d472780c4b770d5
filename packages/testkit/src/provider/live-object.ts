import type { DiffReply, LiveObject, Spec } from "@wfctl/engine";
import { jsonEqual, type FieldChange, type Json, type JsonObject } from "@wfctl/model";
import type { CloudObject } from "../cloud/cloud-object.ts";
import type { FakeType } from "./fake-type.ts";

const reserved = new Set([
  "provider",
  "iac_provider",
  "size",
  "depends_on",
  "protected",
  "adopt_existing",
  "provider_id",
]);

/** The configuration without what only the host reads. */
export function inputsOf(config: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(config).filter(([key]) => !reserved.has(key)));
}

/** The password of an object: what the tests look for where it must not be. */
export function passwordOf(object: Pick<CloudObject, "id">): string {
  return `password-of-${object.id}`;
}

/** An object as a driver reports it. Upstream's drivers give outputs only, and repeat inputs there. */
export function toLive(
  object: CloudObject,
  type: FakeType,
  personality: "ours" | "upstream",
  created?: boolean,
): LiveObject {
  const usual = { endpoint: `https://${object.name}.${object.id}.example`, revision: object.revision };
  const secret = type.sensitiveOutputs?.includes("password") === true ? { password: passwordOf(object) } : {};
  const outputs: JsonObject = {
    ...(personality === "upstream" ? shownInputs(object) : {}),
    ...usual,
    ...type.extraOutputs,
    ...secret,
  };
  const writeOnly = new Set(type.writeOnly);
  return {
    name: object.name,
    type: object.type,
    providerId: object.id,
    outputs,
    sensitive: (type.sensitiveOutputs ?? []).filter((key) => outputs[key] !== undefined),
    status: object.state === "ready" || object.state === "partial" ? "running" : object.state,
    ...(personality === "ours"
      ? {
          inputs: Object.fromEntries(
            Object.entries(object.state === "partial" ? {} : object.inputs).filter(([key]) => !writeOnly.has(key)),
          ),
          ...(object.owner === undefined ? {} : { owner: object.owner }),
        }
      : {}),
    ...(created === undefined ? {} : { created }),
  };
}

/** What is not there yet on an incomplete object shows as null. */
function shownInputs(object: CloudObject): JsonObject {
  if (object.state !== "partial") return object.inputs;
  return Object.fromEntries(Object.keys(object.inputs).map((key) => [key, null]));
}

/**
 * Compares key by key. Our drivers compare with inputs, upstream's with outputs; a key that the object does not report
 * counts as equal there, as it does in most of upstream's drivers.
 */
export function diffObject(
  spec: Spec,
  current: LiveObject,
  type: FakeType,
  personality: "ours" | "upstream",
): DiffReply {
  const wanted = inputsOf(spec.config);
  const known = personality === "ours" ? inputsOf(current.inputs ?? {}) : current.outputs;
  // A host that says what it has sent last knows that what is missing was never sent.
  const writeOnly = new Set(current.inputs?.["iac_provider"] === undefined ? type.writeOnly : []);
  const changes: FieldChange[] = [];
  const told = new Set([
    "endpoint",
    "revision",
    ...Object.keys(type.extraOutputs ?? {}),
    ...(type.sensitiveOutputs ?? []),
  ]);
  const inputsShown = Object.keys(known).filter((key) => personality === "ours" || !told.has(key));
  const keys = new Set([...Object.keys(wanted), ...inputsShown]);
  for (const key of keys) {
    const old: Json | undefined = known[key];
    if (jsonEqual(old, wanted[key]) || (old === undefined && (writeOnly.has(key) || personality === "upstream")))
      continue;
    changes.push({
      path: key,
      ...(old === undefined ? {} : { old }),
      ...(wanted[key] === undefined ? {} : { new: wanted[key] }),
      forceNew: type.forceNew?.includes(key) === true,
    });
  }
  const needsReplace = changes.some((change) => change.forceNew);
  return { needsUpdate: changes.length > 0 && !needsReplace, needsReplace, changes };
}
