import { describe, expect, test } from "vitest";
import { createEmulatorClock } from "./clock.ts";
import { createCollection } from "./collection.ts";
import { readOperations } from "./description.ts";
import { extendDescription } from "./extend.ts";
import { createFaults } from "./faults.ts";
import { canonicalPointer, type JsonObject } from "./json.ts";
import { slicePage, sliceToken } from "./pages.ts";
import { createRateCounter } from "./rate-limit.ts";
import { createRouter } from "./router.ts";
import { createValidator } from "./validator.ts";

const answer = {
  description: "x",
  content: { "application/json": { schema: { type: "object", properties: { ok: { type: "boolean" } } } } },
};
const pet: JsonObject = {
  allOf: [
    {
      type: "object",
      required: ["id", "name"],
      properties: { id: { type: "integer", readOnly: true }, name: { type: "string" } },
    },
    { $ref: "#/paths/~1pets/get/x-sizes" },
  ],
};
const description: JsonObject = {
  openapi: "3.0.0",
  paths: {
    "/pets": {
      get: {
        operationId: "list",
        "x-sizes": {
          type: "object",
          properties: { size: { type: "integer", minimum: 0, exclusiveMinimum: true, nullable: true } },
        },
        responses: { 200: answer },
      },
      post: {
        operationId: "create",
        parameters: [{ name: "dry", in: "query", schema: { type: "boolean" } }],
        requestBody: { required: true, content: { "application/json": { schema: pet } } },
        responses: { 201: { description: "x", content: { "application/json": { schema: pet } } } },
      },
    },
    "/pets/{id}": { get: { operationId: "get", responses: { 200: answer } } },
    "/pets/mine": { get: { operationId: "mine", responses: { 200: answer } } },
    "/pets/{id}:groom": { get: { operationId: "groom", responses: { 200: answer } } },
  },
};

describe("routes", () => {
  const router = createRouter(readOperations(description));
  test.each([
    ["GET", "/pets/mine", "mine", {}],
    ["GET", "/pets/7", "get", { id: "7" }],
    ["GET", "/pets/a%2Fb", "get", { id: "a/b" }],
    ["GET", "/pets/7:groom", "groom", { id: "7" }],
  ])("%s %s is %s", (method, path, id, params) => {
    expect(router.match(method, path)).toMatchObject({ operation: { id }, params });
  });
  test("an unknown path is none, and a known one tells its methods", () => {
    expect(router.match("GET", "/cats")).toBeUndefined();
    expect(router.match("DELETE", "/pets")).toBeUndefined();
    expect(router.methods("/pets").toSorted()).toEqual(["GET", "POST"]);
  });
});

describe("validation", () => {
  const validator = createValidator(description);
  const create = readOperations(description).find(({ id }) => id === "create")!;
  const check = (body: JsonObject | undefined, query: JsonObject = {}) =>
    validator.checkRequest(create, { params: {}, query, body }).map(({ path, message }) => `${path} ${message}`);

  test("a client may leave out what only the server writes; the server may not", () => {
    expect(check({ name: "Tom" })).toEqual([]);
    expect(validator.checkResponse(create, 201, { name: "Tom" })).toEqual([
      { path: "body", message: "must have required property 'id'" },
    ]);
    expect(validator.checkResponse(create, 201, { id: 1, name: "Tom", size: null })).toEqual([]);
  });
  test("bounds, references and parameters are heeded", () => {
    expect(check({ name: "Tom", size: 0 })).toEqual(["body.size must be > 0"]);
    expect(check(undefined)).toEqual(["body is required"]);
    expect(check({ name: "Tom" }, { dry: "maybe" })).toEqual(["query.dry must be boolean"]);
  });
  test("members that no part of the schema names are found, wherever they are", () => {
    expect(validator.unknownKeys(create, { name: "Tom", size: 1, colour: "red" })).toEqual(["colour"]);
  });
  test("an answer with a status that is not described is a violation", () => {
    expect(validator.checkResponse(create, 418, {})).toEqual([{ path: "status", message: "418 is not described" }]);
  });
});

test("a pointer through a reference leads to where it is", () => {
  const pointer = "#/paths/~1pets/post/requestBody/content/application~1json/schema/allOf/1/properties/size";
  expect(canonicalPointer(description, pointer)).toBe("#/paths/~1pets/get/x-sizes/properties/size");
  expect(canonicalPointer(description, "#/nowhere/at/all")).toBeUndefined();
});

test("an addition to a description is made where it says, and is an error where there is nothing", () => {
  const schemas = ["#/paths/~1pets/post/requestBody/content/application~1json/schema"];
  const extended = extendDescription(description, {
    members: [{ schemas, at: "", add: { colour: { type: "string" } } }],
  });
  const create = readOperations(extended).find(({ id }) => id === "create")!;
  expect(createValidator(extended).unknownKeys(create, { colour: "red" })).toEqual([]);
  expect(() => extendDescription(description, { members: [{ schemas, at: "tail.length", add: {} }] })).toThrow(
    'Cannot extend "tail.length"',
  );
});

test("the clock stands still, jumps, and runs what is due in order", () => {
  const clock = createEmulatorClock({ rate: 0, start: 1000 });
  const done: string[] = [];
  clock.after(200, () => done.push("late"));
  clock.after(100, () => done.push("early"));
  clock.settle();
  expect([done, clock.now()]).toEqual([[], 1000]);
  clock.advance(300);
  clock.settle();
  expect([done, clock.now()]).toEqual([["early", "late"], 1300]);
});

test("with a lag, reads miss what is fresh and still give what is gone", () => {
  const clock = createEmulatorClock({ rate: 0, start: 0 });
  const lag = { lagMs: 10 };
  const things = createCollection<string>(clock, lag);
  things.add("a", "one");
  expect([things.get("a"), things.own("a")]).toEqual([undefined, "one"]);
  clock.advance(10);
  expect(things.remove("a")).toBe(true);
  expect([things.list(), things.all(), things.remove("a")]).toEqual([["one"], [], false]);
  clock.advance(10);
  expect(things.get("a")).toBeUndefined();
});

test("a fault hits what fits, after those that it lets pass, as often as it says", () => {
  const faults = createFaults();
  faults.add({ method: "POST", path: "^/pets$", effect: "drop", skip: 1, times: 2 });
  const take = (method: string, path: string) => faults.take({ method, path, operation: undefined })?.effect;
  expect([
    take("GET", "/pets"),
    take("POST", "/pets/1"),
    take("POST", "/pets"),
    take("POST", "/pets"),
    take("POST", "/pets"),
    take("POST", "/pets"),
  ]).toEqual([undefined, undefined, undefined, "drop", "drop", undefined]);
});

test("pages are cut by number and by token", () => {
  const items = [1, 2, 3, 4, 5];
  expect(slicePage(items, 2, 2)).toEqual({ items: [3, 4], pages: 3 });
  const first = sliceToken(items, undefined, 3);
  expect(first?.items).toEqual([1, 2, 3]);
  expect(sliceToken(items, first?.next, 3)).toEqual({ items: [4, 5], next: undefined });
  expect(sliceToken(items, "nonsense", 3)).toBeUndefined();
});

test("a window of the rate limit counts down, refuses, and begins again", () => {
  const time = { at: 0 };
  const count = createRateCounter({ limit: 2, windowMs: 100 }, { now: () => time.at });
  expect(
    [count("a"), count("a"), count("a"), count("b")].map(({ allowed, remaining }) => [allowed, remaining]),
  ).toEqual([
    [true, 1],
    [true, 0],
    [false, 0],
    [true, 1],
  ]);
  time.at = 100;
  expect(count("a").allowed).toBe(true);
});
