import { jsonEqual, type Json } from "@wfctl/plugin-sdk";

/** True where two values say the same: members that are undefined count as absent. */
export function isSame(a: unknown, b: unknown): boolean {
  return jsonEqual(toJson(a), toJson(b));
}

/** Without the members that are undefined. */
export function defined<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Value;
}

function toJson(value: unknown): Json | undefined {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as Json);
}
