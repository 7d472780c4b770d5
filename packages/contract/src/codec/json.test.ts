import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonObject, jsonValue } from "../testing/arbitraries.ts";
import { bytesToJson, bytesToObject, jsonToBytes, WireFormatError } from "./json.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("JSON in bytes fields", () => {
  test("every value survives the way to the wire and back", () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        expect(bytesToJson(jsonToBytes(value), "f")).toStrictEqual(value);
      }),
    );
    fc.assert(
      fc.property(jsonObject, (value) => {
        expect(bytesToObject(jsonToBytes(value), "f")).toStrictEqual(value);
      }),
    );
  });

  test("none, null and the empty object stay apart", () => {
    expect(jsonToBytes(undefined)).toHaveLength(0);
    expect(Buffer.from(jsonToBytes(null)).toString()).toBe("null");
    expect(Buffer.from(jsonToBytes({})).toString()).toBe("{}");
    expect(bytesToJson(bytes(""), "f")).toBeUndefined();
    expect(bytesToJson(bytes("null"), "f")).toBeNull();
    expect(bytesToObject(bytes(""), "f")).toBeUndefined();
    expect(bytesToObject(bytes("null"), "f")).toBeUndefined();
    expect(bytesToObject(bytes("{}"), "f")).toEqual({});
  });

  test.each([
    ["[1]", "an array"],
    ['"x"', "a string"],
    ["7", "a number"],
    ["true", "a boolean"],
  ])("%s is refused where an object should be", (text, found) => {
    expect(() => bytesToObject(bytes(text), "ResourceOutput.outputs_json")).toThrow(
      new WireFormatError("ResourceOutput.outputs_json", `should hold a JSON object but holds ${found}`),
    );
  });

  test("text that does not parse is refused without being quoted", () => {
    const failure = (): unknown => bytesToJson(bytes('{"password": hunter2'), "ResourceSpec.config_json");
    expect(failure).toThrow(/^Field ResourceSpec\.config_json is not valid JSON$/);
    expect(failure).not.toThrow(/hunter2/);
  });

  test("bytes that are not UTF-8, a byte-order mark and a trailing value are refused", () => {
    expect(() => bytesToJson(Uint8Array.of(0x22, 0xff, 0x22), "f")).toThrow("is not UTF-8");
    expect(() => bytesToJson(bytes("\ufeff{}"), "f")).toThrow("is not valid JSON");
    expect(() => bytesToJson(bytes("{} {}"), "f")).toThrow("is not valid JSON");
  });

  test("numbers beyond a double are refused in both directions", () => {
    for (const text of ["1e400", '{"a":[-1E+999]}', `1${"0".repeat(400)}`, `${"9".repeat(299)}e10`]) {
      expect(() => bytesToJson(bytes(text), "f")).toThrow("beyond the range");
    }
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => jsonToBytes({ deep: [value] }, "f")).toThrow("not finite");
    }
    expect(bytesToJson(bytes('{"e100":1e100,"n":null}'), "f")).toEqual({ e100: 1e100, n: null });
    expect(Buffer.from(jsonToBytes({ a: null })).toString()).toBe('{"a":null}');
  });

  test("what is nested deeper than 2,000 levels is refused, and no less", () => {
    const nested = (levels: number): Uint8Array => bytes(`${'{"a":['.repeat(levels / 2)}1${"]}".repeat(levels / 2)}`);
    expect(Buffer.from(jsonToBytes(bytesToJson(nested(2_000), "f")))).toEqual(Buffer.from(nested(2_000)));
    for (const levels of [2_002, 200_000]) {
      expect(() => bytesToJson(nested(levels), "f")).toThrow(/^Field f is nested deeper than 2000 levels$/);
    }
  });

  test("integers above 2^53 lose precision, as they do in every reader of doubles", () => {
    expect(bytesToJson(bytes("9007199254740993"), "f")).toBe(9007199254740992);
  });

  test("of two equal keys the last counts", () => {
    expect(bytesToObject(bytes('{"a":1,"a":2}'), "f")).toEqual({ a: 2 });
  });
});
