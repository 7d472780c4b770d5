import { readFileSync } from "node:fs";
import { isJsonObject, WfctlError, type Json, type JsonObject } from "@wfctl/model";
import type { Sample } from "./sample.ts";
import { substitute, type Variables } from "./substitute.ts";

/** Beside plugin.json: what the suite needs to know of a plugin before it can try its drivers. */
export const configFileName = "conformance.json";

export interface ConformanceConfig {
  /** What `Initialize` gets. */
  readonly provider: JsonObject;
  /** Values that must never be printed. */
  readonly secrets: readonly string[];
  readonly samples: readonly Sample[];
  /** Scenario id → why it cannot apply to this plugin. */
  readonly notApplicable: ReadonlyMap<string, string>;
}

const sampleKeys = ["type", "name", "config", "change", "replace", "invalid", "failing", "slow", "timeoutSeconds"];
const keys = ["$schema", "provider", "secrets", "samples", "notApplicable"];
const defaultTimeoutSeconds = 120;

/**
 * Reads a file in the form of `conformance.json`: undefined where there is none. Texts may hold `${tmp}` (a folder of this
 * run), `${run}` (a word that no other run has), `${plugin}` (the plugin's folder) and `${env.NAME}`; values from the environment count as secrets.
 * Throws CONFIG_INVALID for what does not fit, naming the place.
 */
export function readConformanceConfig(path: string, variables: Variables): ConformanceConfig | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new WfctlError("CONFIG_INVALID", `${path} cannot be read`, { cause });
  }
  const fail = (place: string, problem: string): never => {
    throw new WfctlError("CONFIG_INVALID", `${path}: ${place === "" ? "" : `${place}: `}${problem}`, {
      hint: "See docs/conformance.md",
    });
  };
  let json: Json;
  try {
    json = JSON.parse(text) as Json;
  } catch (error) {
    return fail("", `is no JSON: ${(error as Error).message}`);
  }
  const found = new Set<string>();
  const resolved = substitute(json, variables, { fail, onSecret: (value) => found.add(value) });
  if (!isJsonObject(resolved)) return fail("", "should be an object");
  checkKeys(resolved, keys, "", fail);
  const provider = objectAt(resolved, "provider", fail) ?? {};
  const { secrets = [], samples = [], notApplicable = {} } = resolved;
  if (!Array.isArray(secrets) || secrets.some((key) => typeof key !== "string")) {
    return fail("secrets", "should be a list of keys of provider");
  }
  for (const key of secrets as string[]) {
    const value = provider[key];
    if (typeof value !== "string") return fail("secrets", `names "${key}", which is no text of provider`);
    found.add(value);
  }
  if (!Array.isArray(samples)) return fail("samples", "should be a list");
  if (!isJsonObject(notApplicable)) return fail("notApplicable", "should be an object");
  const waived = Object.entries(notApplicable).map(([id, reason]) => {
    if (typeof reason !== "string" || reason.trim() === "") return fail(`notApplicable.${id}`, "should say why");
    return [id, reason] as const;
  });
  return {
    provider,
    secrets: [...found].filter((value) => value !== ""),
    samples: samples.map((sample, index) => readSample(sample as Json, `samples[${index}]`, fail)),
    notApplicable: new Map(waived),
  };
}

type Fail = (place: string, problem: string) => never;

function readSample(value: Json, place: string, fail: Fail): Sample {
  if (!isJsonObject(value)) return fail(place, "should be an object");
  checkKeys(value, sampleKeys, place, fail);
  const { type, name, timeoutSeconds = defaultTimeoutSeconds } = value;
  if (typeof type !== "string" || type === "") return fail(`${place}.type`, "should be a resource type");
  const prefix = name ?? type.replace(/^.*\./, "").replaceAll(/[^a-z0-9]+/g, "-");
  if (typeof prefix !== "string" || !/^[a-z][a-z0-9-]{0,30}(\*[a-z0-9.-]{1,30})?$/.test(prefix)) {
    return fail(
      `${place}.name`,
      "should be at most 31 lower-case letters, digits and hyphens, and for a domain * and its end, such as www*.example.com",
    );
  }
  if (typeof timeoutSeconds !== "number" || timeoutSeconds <= 0) {
    return fail(`${place}.timeoutSeconds`, "should be a number above 0");
  }
  const config = objectAt(value, "config", fail, place) ?? {};
  // A variant is written as what differs: its keys stand over those of the configuration, null takes one out.
  const variant = (key: string): JsonObject | undefined => {
    const differing = objectAt(value, key, fail, place);
    if (differing === undefined) return undefined;
    return Object.fromEntries(Object.entries({ ...config, ...differing }).filter(([, member]) => member !== null));
  };
  return {
    type,
    name: prefix,
    config,
    change: variant("change"),
    replace: variant("replace"),
    invalid: variant("invalid"),
    failing: variant("failing"),
    slow: variant("slow"),
    timeoutMs: timeoutSeconds * 1000,
  };
}

function objectAt(value: JsonObject, key: string, fail: Fail, place = ""): JsonObject | undefined {
  const member = value[key];
  if (member === undefined) return undefined;
  if (!isJsonObject(member)) return fail(place === "" ? key : `${place}.${key}`, "should be an object");
  return member;
}

function checkKeys(value: JsonObject, known: readonly string[], place: string, fail: Fail): void {
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) fail(place, `has an unknown key "${key}"; known are ${known.join(", ")}`);
  }
}
