import type { StackConfig } from "@wfctl/config";
import { sensitivePointersOf } from "@wfctl/engine";
import { isJsonObject, pointerToPath, WfctlError, type JsonObject, type ResourceRecord } from "@wfctl/model";
import type { UpstreamRecord } from "./upstream-records.ts";

/** A record of upstream as one of ours, marked imported: nothing in it is trusted before its object has been read. */
export function convertUpstreamRecord(
  { file, value }: UpstreamRecord,
  stack: StackConfig,
  nowIso: string,
): ResourceRecord {
  const text = (key: string): string => (typeof value[key] === "string" ? value[key] : "");
  const object = (key: string): JsonObject => (isJsonObject(value[key]) ? value[key] : {});
  const name = text("resource_id");
  const type = text("resource_type");
  if (type === "") throw refuse(file, `"resource_type" is missing`);
  const module = chooseModule(name, text("provider_ref"), text("provider"), stack, file);
  const inputs = object("config");
  const outputs = object("outputs");
  const dependencies = Array.isArray(value["dependencies"]) ? value["dependencies"] : [];
  return {
    name,
    type,
    provider: module.name,
    providerName: module.provider,
    providerVersion: "",
    providerId: text("provider_id") || name,
    inputs,
    outputs,
    sensitiveInputs: sensitivePointersOf(inputs, undefined),
    sensitiveOutputs: [
      ...new Set(sensitivePointersOf(outputs, undefined).flatMap((pointer) => pointerToPath(pointer).slice(0, 1))),
    ],
    dependencies: dependencies.filter((dependency) => typeof dependency === "string"),
    fingerprint: "",
    mark: "imported",
    protected:
      inputs["protected"] === true || stack.resources.some((wanted) => wanted.name === name && wanted.protected),
    retain: false,
    createdByUs: false,
    deposed: [],
    createdAt: text("created_at") || nowIso,
    updatedAt: text("updated_at") || nowIso,
    run: "",
  };
}

/** By its module; records that name none are of the one module with their provider. */
function chooseModule(
  name: string,
  reference: string,
  provider: string,
  stack: StackConfig,
  file: string,
): StackConfig["providers"][number] {
  const named = stack.providers.find((module) => module.name === reference);
  if (named !== undefined) return named;
  if (reference !== "")
    throw refuse(file, `"${name}" is of provider module "${reference}", which the stack file does not have`);
  const wanted = stack.resources.find((resource) => resource.name === name)?.provider;
  const candidates = stack.providers.filter((module) => module.provider === provider);
  const chosen = candidates.find((module) => module.name === wanted) ?? candidates[0];
  if (chosen === undefined)
    throw refuse(file, `"${name}" is of provider "${provider}", and no module of the stack file is`);
  if (candidates.length > 1 && chosen.name !== wanted) {
    throw refuse(
      file,
      `"${name}" is of provider "${provider}", and ${candidates.length} modules of the stack file are`,
    );
  }
  return chosen;
}

function refuse(file: string, why: string): WfctlError {
  return new WfctlError("CONFIG_INVALID", `Cannot import "${file}": ${why}`, {
    hint: "Add the provider module to the stack file; nothing was imported",
  });
}
