import type { Environment } from "@marcbachmann/cel-js";
import type { Json } from "@wfctl/model";
import { cidrHost, cidrSubnet } from "./cidr.ts";
import { fromCel, toCel } from "./values.ts";

type Handler = (...args: never[]) => unknown;

/** What the language has beyond CEL's own functions. All are pure. */
const functions: Readonly<Record<string, { readonly signature: string; readonly handler: Handler }>> = {
  toJson: {
    signature: "toJson(dyn): string",
    handler: (value: unknown) => JSON.stringify(fromCel(value)),
  },
  fromJson: { signature: "fromJson(string): dyn", handler: parseJson },
  base64Encode: {
    signature: "base64Encode(string): string",
    handler: (text: string) => btoa(binary(new TextEncoder().encode(text))),
  },
  base64Decode: {
    signature: "base64Decode(string): string",
    handler: decodeBase64,
  },
  coalesce: {
    signature: "coalesce(dyn, dyn): dyn",
    handler: (first: unknown, second: unknown) => (first === null || first === "" ? second : first),
  },
  merge: {
    signature: "merge(map, map): map",
    handler: (first: object, second: object) => new Map([...entriesOf(first), ...entriesOf(second)]),
  },
  keys: { signature: "keys(map): list", handler: (map: object) => entriesOf(map).map(([key]) => key) },
  values: { signature: "values(map): list", handler: (map: object) => entriesOf(map).map(([, value]) => value) },
  flatten: { signature: "flatten(list): list", handler: (list: unknown[]) => list.flat() },
  distinct: { signature: "distinct(list): list", handler: (list: unknown[]) => [...new Set(list)] },
  sort: {
    signature: "sort(list): list",
    handler: (list: (string | number | bigint)[]) => list.toSorted((a, b) => (a < b ? -1 : Number(a > b))),
  },
  range: { signature: "range(int): list", handler: (count: bigint) => rangeOf(Number(count)) },
  replace: {
    signature: "string.replace(string, string): string",
    handler: (text: string, from: string, to: string) => text.replaceAll(from, () => to),
  },
  cidrSubnet: {
    signature: "cidrSubnet(string, int, int): string",
    handler: (prefix: string, bits: bigint, number: bigint) => cidrSubnet(prefix, Number(bits), number),
  },
  cidrHost: {
    signature: "cidrHost(string, int): string",
    handler: (prefix: string, number: bigint) => cidrHost(prefix, number),
  },
};

/** Names of the functions beside CEL's own, for documents and completion. */
export const functionNames: readonly string[] = Object.keys(functions);

export function registerFunctions(language: Environment): Environment {
  for (const { signature, handler } of Object.values(functions)) {
    language.registerFunction(signature, handler as (...args: unknown[]) => unknown);
  }
  return language;
}

/** Each byte as a character; in parts, as a call takes only so many arguments. */
function binary(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length; start += 8192) {
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  }
  return text;
}

function decodeBase64(text: string): string {
  try {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error("base64Decode() got a text that is no base64 of a text in UTF-8");
  }
}

function parseJson(text: string): unknown {
  try {
    return toCel(JSON.parse(text) as Json);
  } catch {
    throw new Error("fromJson() got a text that is no JSON");
  }
}

/** Most items that `range` makes. */
const maxRange = 1000;

function rangeOf(count: number): bigint[] {
  if (count < 0 || count > maxRange) throw new Error(`range() takes 0 to ${maxRange}`);
  return Array.from({ length: count }, (_, index) => BigInt(index));
}

/** Entries by key, so that the order is one. */
function entriesOf(map: object): [string, unknown][] {
  const entries = map instanceof Map ? [...(map as Map<string, unknown>)] : Object.entries(map);
  return entries.toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)));
}
