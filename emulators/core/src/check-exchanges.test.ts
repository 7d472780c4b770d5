import { expect, test } from "vitest";
import { checkExchanges } from "./check-exchanges.ts";
import type { Exchange } from "./journal.ts";
import type { JsonObject } from "./json.ts";

const thing: JsonObject = {
  type: "object",
  required: ["name"],
  properties: {
    name: { type: "string" },
    parts: { type: "array", items: { type: "object", properties: { size: { type: "integer" } } } },
  },
};
const content = { "application/json": { schema: thing } };
const description: JsonObject = {
  openapi: "3.0.0",
  paths: {
    "/things": {
      post: {
        operationId: "make",
        requestBody: { content },
        responses: { "201": { content }, "422": { description: "no" } },
      },
    },
    "/things/{id}": {
      get: {
        operationId: "look",
        parameters: [{ in: "path", name: "id", required: true, schema: { type: "integer" } }],
        responses: { "200": { content } },
      },
    },
  },
};

const exchange = (given: Partial<Exchange>): Exchange => ({
  at: "",
  method: "POST",
  path: "/things",
  query: "",
  operation: "make",
  account: "me",
  request: { name: "a" },
  status: 201,
  headers: {},
  response: { name: "a" },
  ...given,
});

test("what fits the description has no findings; what a test sent to be refused, and what a fault answered, is not judged", async () => {
  const report = await checkExchanges(description, [
    exchange({}),
    exchange({ request: { name: 1 }, status: 422, response: undefined }),
    exchange({ status: 500, response: { odd: true }, fault: "status" }),
    exchange({ status: 0, response: undefined, fault: "lose_reply" }),
    exchange({ request: { name: "a", meant: 1 }, unknown: ["meant"] }),
    exchange({ method: "GET", path: "/things/7", operation: "look", request: undefined, status: 200 }),
  ]);
  expect(report).toMatchObject({ checked: 6, findings: [], excused: [] });
});

test("a violation is named with operation, side and pointer, items of one list together", async () => {
  const parts = [{ size: 1 }, { size: "big" }, { size: "huge" }];
  const { findings } = await checkExchanges(description, [
    exchange({ request: { name: "a", parts }, response: {} }),
    exchange({ request: { name: "a", odd: 1 } }),
    exchange({ status: 204, response: undefined }),
    exchange({ method: "GET", path: "/things/x", operation: "look", request: undefined, status: 200 }),
  ]);
  expect(findings).toEqual([
    { operation: "POST /things", side: "request", pointer: "/body/parts/1/size", message: "must be integer", times: 2 },
    {
      operation: "POST /things",
      side: "answer",
      pointer: "/body",
      message: "must have required property 'name'",
      times: 1,
    },
    {
      operation: "POST /things",
      side: "request",
      pointer: "/body/odd",
      message: "is unknown to the description",
      times: 1,
    },
    { operation: "POST /things", side: "answer", pointer: "/status", message: "204 is not described", times: 1 },
    { operation: "GET /things/{id}", side: "request", pointer: "/path/id", message: "must be integer", times: 1 },
  ]);
});

test("operations that the description does not have are counted, also where their path looks like one that it has", async () => {
  const { checked, unknown } = await checkExchanges(description, [
    exchange({ method: "DELETE", operation: undefined }),
    exchange({ method: "GET", path: "/things/pools", operation: "pools", request: undefined, status: 200 }),
  ]);
  expect(checked).toBe(0);
  expect([...unknown]).toEqual([
    ["DELETE /things", 1],
    ["GET pools", 1],
  ]);
});

test("a deviation that is known excuses what it names and nothing else", async () => {
  const known = { operation: /^POST/, pointer: /^\/body\/odd$/, message: /unknown/, why: "the cloud has it" };
  const report = await checkExchanges(description, [exchange({ request: { name: "a", odd: 1, other: 2 } })], [known]);
  expect(report.excused).toEqual([known]);
  expect(report.findings).toMatchObject([{ pointer: "/body/other" }]);
});
