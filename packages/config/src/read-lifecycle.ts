import type { JsonObject, LifecycleOptions, Timeouts } from "@wfctl/model";
import { maxDurationMs, parseDuration } from "./durations.ts";
import { child, type FieldReader } from "./fields.ts";
import type { Reporter, Spot } from "./reporter.ts";

const lifecycleKeys: ReadonlySet<string> = new Set(["ignore_changes", "replace", "retain"]);
const timeoutKeys = ["create", "read", "update", "delete"] as const;
const timeoutKeySet: ReadonlySet<string> = new Set(timeoutKeys);
const none = {};

/** Reads `lifecycle` of a module. */
export function readLifecycle(module: JsonObject, spot: Spot, fields: FieldReader): LifecycleOptions {
  if (module["lifecycle"] === undefined) return none;
  const lifecycle = fields.mapping(module, spot, "lifecycle") ?? {};
  const place = child(spot, "lifecycle");
  fields.checkKeys(lifecycle, place, "in lifecycle", lifecycleKeys);
  const ignoreChanges = fields.texts(lifecycle, place, "ignore_changes").map((item) => item.text);
  const replace = fields.oneOf(lifecycle, place, "replace", ["create-first", "delete-first"]);
  const retain = fields.boolean(lifecycle, place, "retain");
  return {
    ...(ignoreChanges.length === 0 ? {} : { ignoreChanges }),
    ...(replace === undefined ? {} : { replace }),
    ...(retain === undefined ? {} : { retain }),
  };
}

/** Reads `timeouts` of a module, in milliseconds. */
export function readTimeouts(module: JsonObject, spot: Spot, fields: FieldReader, reporter: Reporter): Timeouts {
  if (module["timeouts"] === undefined) return none;
  const timeouts = fields.mapping(module, spot, "timeouts") ?? {};
  const place = child(spot, "timeouts");
  fields.checkKeys(timeouts, place, "in timeouts", timeoutKeySet);
  const read: { [K in (typeof timeoutKeys)[number]]?: number } = {};
  for (const key of timeoutKeys) {
    const value = timeouts[key];
    if (value === undefined || value === null) continue;
    const ms = parseDuration(value);
    if (ms !== undefined) read[key] = ms;
    else {
      reporter.report(child(place, key), {
        summary: `The timeout "${key}" is ${JSON.stringify(value)}, expected a duration above 0 and of at most ${Math.floor(maxDurationMs / 86_400_000)} days`,
        hint: 'Write it like "30m", "1h30m" or "90s"; a number counts seconds',
      });
    }
  }
  return read;
}
