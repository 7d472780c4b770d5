import { isJsonObject, type Json, type JsonObject } from "@wfctl/model";

/** The wanted config with each ignored path set to what was applied last, or left out where nothing was. */
export function withIgnoredChanges(
  config: JsonObject,
  recorded: JsonObject | undefined,
  paths: readonly string[] | undefined,
): JsonObject {
  if (paths === undefined || paths.length === 0 || recorded === undefined) return config;
  let result = config;
  for (const path of paths) result = replaceAt(result, recorded, path.split("."));
  return result;
}

export function isIgnored(path: string, ignored: readonly string[] | undefined): boolean {
  return ignored?.some((candidate) => path === candidate || path.startsWith(`${candidate}.`)) ?? false;
}

function replaceAt(target: JsonObject, source: JsonObject, steps: readonly string[]): JsonObject {
  const [step, ...rest] = steps;
  if (step === undefined) return target;
  const copy: Record<string, Json> = { ...target };
  if (rest.length === 0) {
    const old = source[step];
    if (old === undefined) delete copy[step];
    else copy[step] = old;
    return copy;
  }
  const inner = copy[step];
  const innerSource = source[step];
  if (isJsonObject(inner)) copy[step] = replaceAt(inner, isJsonObject(innerSource) ? innerSource : {}, rest);
  return copy;
}
