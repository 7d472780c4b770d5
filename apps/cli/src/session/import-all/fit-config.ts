import { validateAgainstSchema } from "@wfctl/config";
import { ask, reservedKeys, sensitivePointersOf, type DiffReply } from "@wfctl/engine";
import { isJsonObject, jsonEqual, pointerToPath, type Json, type JsonObject } from "@wfctl/model";
import { realClock, realRandom } from "../runtime.ts";
import type { FoundObject } from "./found-object.ts";

export type Fitted = { readonly config: JsonObject } | { readonly why: string };

/**
 * The shortest configuration of an object that fits the schema of its type and that a plan finds nothing to change with.
 * Secrets are never in it. Where there is none, why.
 */
export async function fitConfig(
  object: FoundObject,
  name: string,
  call: { readonly run: string; readonly signal: AbortSignal },
): Promise<Fitted> {
  const { provider, type, live, inputs } = object;
  const traits = provider.traits(type);
  const schema = traits?.schema;
  const secret = new Set(
    [...sensitivePointersOf(inputs, traits), ...live.sensitive.map((key) => `/${key}`)].map((pointer) =>
      String(pointerToPath(pointer)[0]),
    ),
  );
  // What the host reads for itself would mean something else there.
  const whole = omit(
    inputs,
    (key, value) => secret.has(key) || value === null || (reservedKeys.has(key) && key !== "size"),
  );
  const compare = (config: JsonObject): Promise<DiffReply> => {
    const caller = { clock: realClock, random: realRandom, runId: call.run, signal: call.signal };
    const size = typeof config["size"] === "string" ? { size: config["size"] } : {};
    return ask(caller, { timeouts: {} }, (options) =>
      provider.diff({ name, type, config, ...size, dependsOn: [] }, live, options),
    );
  };
  const lacks = (config: JsonObject): string | undefined => {
    if (schema === undefined) return undefined;
    const [found] = validateAgainstSchema(config, schema, {
      address: name,
      type,
      sensitive: traits?.sensitiveInputs ?? [],
      locate: () => undefined,
    }).filter((diagnostic) => diagnostic.severity === "error");
    return found?.summary;
  };
  const isQuiet = ({ needsUpdate, needsReplace, changes }: DiffReply): boolean =>
    !needsUpdate && !needsReplace && changes.length === 0;

  const short = omit(
    whole,
    (key, value) => (key === "name" && value === name) || isDefault(value, propertyOf(schema, key)),
  );
  if (lacks(short) === undefined && isQuiet(await compare(short))) return { config: short };
  let config = whole;
  let reply = await compare(config);
  if (!isQuiet(reply)) {
    // What read gives and no configuration can say is left out.
    const changed = new Set(reply.changes.map((change) => change.path.split(".")[0] as string));
    config = omit(whole, (key) => changed.has(key));
    reply = await compare(config);
  }
  const problem = lacks(config);
  if (problem !== undefined) {
    const hidden = [...secret].filter((key) => inputs[key] !== undefined || problem.includes(`"${key}"`));
    const secrets = hidden.length === 0 ? "" : ` (${hidden.join(", ")}: secret, and not written)`;
    return { why: `its configuration cannot be read back whole: ${problem}${secrets}` };
  }
  if (isQuiet(reply)) return { config };
  const paths = reply.changes.map((change) => change.path).join(", ");
  return { why: `no configuration of what was read is quiet: ${paths === "" ? "it" : paths} would change` };
}

function omit(config: JsonObject, isLeftOut: (key: string, value: Json) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(config).filter(([key, value]) => !isLeftOut(key, value)));
}

function propertyOf(schema: JsonObject | undefined, key: string): JsonObject | undefined {
  const properties = schema?.["properties"];
  const property = isJsonObject(properties) ? properties[key] : undefined;
  return isJsonObject(property) ? property : undefined;
}

/** Saying it changes nothing: it is what the schema fills in, or nothing at all. */
function isDefault(value: Json, property: JsonObject | undefined): boolean {
  const standard = property?.["default"];
  if (standard !== undefined) return jsonEqual(value, standard);
  return value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}
