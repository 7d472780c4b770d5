import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonValue } from "../testing/arbitraries.ts";
import { compareBytes, goJson } from "./go-json.ts";
import { configHash, desiredHash, inputFingerprint } from "./hashes.ts";

describe("Go's JSON text", () => {
  test("escapes what Go escapes and sorts keys", () => {
    expect(goJson({ b: "<&>\u2028\u2029", a: [null, true, 'é"\\\n\u0001\u007f'] })).toBe(
      String.raw`{"a":[null,true,"é\"\\\n\u0001${"\u007f"}"],"b":"\u003c\u0026\u003e\u2028\u2029"}`,
    );
  });

  test("writes numbers as Go does", () => {
    const texts: [number, string][] = [
      [1, "1"],
      [2.0, "2"],
      [-0, "-0"],
      [0.000001, "0.000001"],
      [1e-7, "1e-7"],
      [1.5e-9, "1.5e-9"],
      [1e20, "100000000000000000000"],
      [1e21, "1e+21"],
      [3000000, "3000000"],
    ];
    for (const [number, text] of texts) expect(goJson(number)).toBe(text);
    expect(() => goJson([Number.NaN])).toThrow(RangeError);
  });

  test("orders keys by UTF-8 bytes, where UTF-16 would order them otherwise", () => {
    expect(["\u{1f600}", "\uffee"].toSorted()).toEqual(["\u{1f600}", "\uffee"]);
    expect(goJson({ "\u{1f600}": 1, "\uffee": 2, a: 3 })).toBe('{"a":3,"\uffee":2,"\u{1f600}":1}');
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
        expect(compareBytes(a, b)).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  test("means the same value", () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        expect(JSON.parse(goJson(value))).toStrictEqual(value);
      }),
    );
  });

  test("reads a lone surrogate as the replacement character", () => {
    expect(goJson("\ud800")).toBe('"\ufffd"');
  });
});

describe("hashes in typed fields", () => {
  test("config hash: the published vector", () => {
    const config = { l: [1, 1e21, 1e-7], n: { y: 2.0, x: "é\u2028" }, name: "a<b>&c", z: 1 };
    expect(configHash(config)).toBe("2a1e57aa9522fad65d452e25f669d44b243fe2530efbfbb340a72e3b7973007b");
    expect(configHash({ z: 1, name: "a<b>&c", n: { x: "é\u2028", y: 2 }, l: [1, 1e21, 1e-7] })).toBe(
      configHash(config),
    );
    expect(configHash({ ...config, z: 2 })).not.toBe(configHash(config));
  });

  test("config hash of nothing is empty", () => {
    expect([configHash(undefined), configHash({})]).toEqual(["", ""]);
  });

  test("desired hash: members in the order of the struct, specs in the order of their names", () => {
    // sha256 of the text [{"name":"a","type":"infra.vpc","config":null},{"name":"b",…,"depends_on":["a"]}], made by hand
    const wanted = "37a2c670d96713330e953bc349c385ddb98a0256a638ffd97900bf3e444b442b";
    const a = { name: "a", type: "infra.vpc", dependsOn: [] };
    const b = {
      name: "b",
      type: "infra.database",
      config: { x: "<" },
      size: "m",
      hints: { cpu: "2" },
      dependsOn: ["a"],
    };
    expect(desiredHash([b, a])).toBe(wanted);
    expect(desiredHash([a, b])).toBe(wanted);
    expect(desiredHash([{ ...a, config: {} }, b])).not.toBe(wanted);
  });

  test("input fingerprint: 16 hex digits of sha256", () => {
    expect(inputFingerprint("secret")).toBe("2bb80d537b1da3e3");
  });
});
