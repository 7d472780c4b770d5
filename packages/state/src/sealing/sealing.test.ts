import { inspect } from "node:util";
import { mapAtPointers, type JournalEvent, type JsonObject } from "@wfctl/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { leakedSecrets, secretEvents } from "../testing/planted-secrets.ts";
import { sampleRecord, sampleRun } from "../testing/sample.ts";
import { createDigester } from "./digester.ts";
import { openEvent, sealEvent } from "./event-secrets.ts";
import { createKey, deriveKey, formatKey, generateKey, parseKey } from "./key.ts";
import { createKeyMeta, createSealer, isSealed } from "./sealer.ts";
import { mapRecordSecrets } from "./secrets.ts";

const key = generateKey();
const meta = createKeyMeta(key, "lineage");
const sealer = createSealer(key, "lineage", meta);

describe("a sealed value", () => {
  test("opens to what it was, in its place", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, context) => {
        const sealed = sealer.seal(value as never, context);
        expect(isSealed(sealed)).toBe(true);
        expect(sealed.$sealed).toMatch(/^v1\.[0-9a-f]{8}\.[\w-]+$/);
        expect(sealer.open(sealed, context)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test("looks different each time", () => {
    expect(sealer.seal("x", "c")).not.toEqual(sealer.seal("x", "c"));
  });

  test("does not open in another place, in another stack, or changed by one character", () => {
    const sealed = sealer.seal("hunter2", "db inputs /password");
    const corrupt = expect.objectContaining({ code: "STORE_CORRUPT" });
    expect(() => sealer.open(sealed, "db inputs /token")).toThrow(corrupt);
    const other = createSealer(key, "other", createKeyMeta(key, "other"));
    expect(() => other.open(sealed, "db inputs /password")).toThrow(corrupt);
    const text = sealed.$sealed;
    for (let at = 0; at < text.length - 1; at += 1) {
      const changed = text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
      expect(() => sealer.open({ $sealed: changed }, "db inputs /password")).toThrow(corrupt);
    }
    for (const $sealed of ["", "v1", "v1.", "v1..", `v2${text.slice(2)}`, text.slice(0, 20)]) {
      expect(() => sealer.open({ $sealed }, "db inputs /password")).toThrow(corrupt);
    }
  });
});

describe("the key", () => {
  test("is refused at once when it is not the stack's, or the data key was changed", () => {
    const wrong = expect.objectContaining({ code: "KEY_WRONG" });
    expect(() => createSealer(generateKey(), "lineage", meta)).toThrow(wrong);
    expect(() => createSealer(key, "lineage", { ...meta, check: "" })).toThrow(wrong);
    const [dataKey] = meta.dataKeys;
    const swapped = { ...meta, dataKeys: [{ ...dataKey!, id: "00000000" }] };
    expect(() => createSealer(key, "lineage", swapped)).toThrow("cannot be unwrapped");
    expect(() => createSealer(key, "lineage", { ...meta, dataKeys: [] })).toThrow("no data key");
  });

  test("is read from base64, base64url and hex, and from nothing else", () => {
    const bytes = Buffer.alloc(32, 0xfb);
    const { id } = createKey(bytes);
    for (const text of [bytes.toString("hex"), bytes.toString("base64"), ` ${bytes.toString("base64url")}\n`]) {
      expect(parseKey(text, "test").id).toBe(id);
    }
    for (const text of ["", "hunter2", bytes.toString("hex").slice(2), `${bytes.toString("base64")}AAAA`]) {
      expect(() => parseKey(text, "WFCTL_KEY")).toThrow(/WFCTL_KEY.*not 32 bytes/);
    }
    expect(() => createKey(bytes.subarray(1))).toThrow("31 bytes");
  });

  test("never shows when it is printed", () => {
    const shown = inspect(key, { depth: 9, showHidden: true }) + JSON.stringify(key);
    expect(shown).not.toContain(formatKey(key).slice(0, 12));
    expect(parseKey(formatKey(key), "test").id).toBe(key.id);
  });

  test("of a passphrase depends on the passphrase and the stack, however the letters are composed", async () => {
    const [one, same, other, elsewhere] = await Promise.all([
      deriveKey("caf\u00e9", "a"),
      deriveKey("cafe\u0301", "a"),
      deriveKey("cafe", "a"),
      deriveKey("caf\u00e9", "b"),
    ]);
    expect(same.id).toBe(one.id);
    expect(new Set([one.id, other.id, elsewhere.id]).size).toBe(3);
  });
});

describe("a digest", () => {
  test("is the same for equal values, and tells nothing of them without the key and the stack", () => {
    const digester = createDigester(key, "lineage");
    const digest = digester.digest({ a: 1, b: [true, null] });
    expect(digest).toMatch(/^[\w-]{43}$/);
    expect(digester.digest({ b: [true, null], a: 1 })).toBe(digest);
    expect(createDigester(key, "lineage").digest({ a: 1, b: [true, null] })).toBe(digest);
    expect(digester.digest({ a: 1, b: [true, 0] })).not.toBe(digest);
    expect(createDigester(key, "other").digest({ a: 1, b: [true, null] })).not.toBe(digest);
    expect(createDigester(generateKey(), "lineage").digest({ a: 1, b: [true, null] })).not.toBe(digest);
  });
});

describe("an event", () => {
  test("goes sealed into the store and comes back as it was", () => {
    for (const event of secretEvents().flat()) {
      const sealed = sealEvent(event, sealer);
      expect(leakedSecrets([Buffer.from(JSON.stringify(sealed))])).toEqual([]);
      expect(openEvent(sealed, sealer)).toEqual(event);
      expect(openEvent(sealed, undefined)).toBe(sealed);
    }
  });

  test("without secrets stays the same object", () => {
    for (const event of sampleRun("r", ["a"]).flat()) expect(sealEvent(event, undefined)).toBe(event);
  });

  test("with a secret needs a key", () => {
    const event: JournalEvent = { kind: "provider-config", provider: "p", name: "n", config: {} };
    expect(() => sealEvent(event, undefined)).toThrow(expect.objectContaining({ code: "KEY_REQUIRED" }));
  });

  test("text that looks sealed is a value like any other", () => {
    const fake = { $sealed: "v1.00000000.AAAA" };
    const record = sampleRecord("a", { inputs: { secret: fake, plain: fake }, sensitiveInputs: ["/secret"] });
    const event: JournalEvent = { kind: "record", run: "r", record: { put: record } };
    expect(openEvent(sealEvent(event, sealer), sealer)).toEqual(event);
  });
});

describe("the places of secrets", () => {
  const upper = (inputs: JsonObject, sensitiveInputs: readonly string[]) =>
    mapRecordSecrets(sampleRecord("a", { inputs, sensitiveInputs }), () => "#").inputs;

  test("are found by pointer, in lists and under awkward names", () => {
    const inputs = JSON.parse(
      '{"a/b": {"~": 1}, "list": [{"x": 1}, {"x": 2}], "__proto__": {"deep": 3}}',
    ) as JsonObject;
    expect(upper(inputs, ["/a~1b/~0", "/list/1/x", "/__proto__/deep"])).toEqual(
      JSON.parse('{"a/b": {"~": "#"}, "list": [{"x": 1}, {"x": "#"}], "__proto__": {"deep": "#"}}'),
    );
    expect(upper(inputs, [""])).toBe("#");
  });

  test("inside one another count as the outer one", () => {
    expect(upper({ a: { b: 1 }, c: 2 }, ["/a/b", "/a", "/a"])).toEqual({ a: "#", c: 2 });
  });

  test("that lead nowhere change nothing", () => {
    const inputs = { a: [1], b: "text" };
    for (const pointer of ["/x", "/a/1", "/a/length", "/a/-", "/b/0", "/b/length", "/a/0/c"]) {
      expect(upper(inputs, [pointer])).toBe(inputs);
    }
  });

  test("are those of the model's own walk", () => {
    const pointer = fc.array(fc.constantFrom("a", "b", "0", "1"), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom("a", "b", "0"), fc.jsonValue({ maxDepth: 3 })),
        pointer,
        (inputs, path) => {
          const text = `/${path.join("/")}`;
          const value = JSON.parse(JSON.stringify(inputs)) as JsonObject;
          expect(upper(value, [text])).toEqual(mapAtPointers(value, [text], () => "#"));
        },
      ),
    );
  });
});
