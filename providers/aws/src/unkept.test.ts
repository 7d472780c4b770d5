import { jsonEqual, ProviderFailure, type JsonObject } from "@wfctl/plugin-sdk";
import { describe, expect, test } from "vitest";
import type { Context } from "./calls.ts";
import { markUnkept, unkeptTag, withoutUnkept, type MarkedType } from "./unkept.ts";

const desired = { name: "web", input: { grace: 60, hidden: 1 }, size: undefined, hints: undefined, dependsOn: [] };
const state = { id: "id-1", outputs: { tags_all: { team: "blue" } }, created: true };

/** A type with one object, at a server that shows `shown` of it. */
function open(standIn: string | undefined, shown: JsonObject) {
  const [reads, told]: [string[], string[]] = [[], []];
  const waiting: { resource: string }[] = [];
  const object = { inputs: shown, tags: { team: "blue" } as Record<string, string> };
  const note = (message: string): void => void told.push(message);
  const context = {
    signal: new AbortController().signal,
    deadline: 100_000,
    clock: { now: () => 10_000 },
    client: {
      region: "us-east-1",
      connect: () => Promise.resolve({ standIn }),
      deferrals: { all: () => waiting.map((each) => ["key", each]) },
    },
    log: { warn: note },
    progress: () => {},
  } as unknown as Context;
  const type: MarkedType = {
    service: "ecs",
    writeOnly: ["hidden"],
    read: ({ id }) => {
      reads.push(id);
      return Promise.resolve({ id, outputs: { tags_all: object.tags }, inputs: object.inputs });
    },
    setMarks: (_ref, marks) => {
      object.tags = { ...object.tags, ...(marks as Record<string, string>) };
      return Promise.resolve();
    },
    compare({ input }, known) {
      const changes = Object.entries(input as JsonObject).flatMap(([path, wanted]) => {
        const old = known.inputs?.[path];
        const change = { path, forceNew: false, new: wanted, ...(old === undefined ? {} : { old }) };
        return jsonEqual(wanted, old) ? [] : [change];
      });
      return withoutUnkept({ changes }, known);
    },
  };
  const known = (inputs: JsonObject = object.inputs) => ({ id: "id-1", outputs: { tags_all: object.tags }, inputs });
  const changed = (input: JsonObject, inputs?: JsonObject): string[] =>
    type.compare({ ...desired, input }, known(inputs)).changes.map(({ path }) => path);
  return { object, reads, told, waiting, context, type, changed };
}

describe("what a server does not keep", () => {
  test("AWS itself is asked nothing and marked with nothing", async () => {
    const { reads, object, context, type } = open(undefined, {});
    expect(await markUnkept(type, desired, state, context)).toBe(state);
    expect([reads, object.tags]).toEqual([[], { team: "blue" }]);
  });

  test("is told and no change, as long as neither side says something else", async () => {
    const { told, object, context, type, changed } = open("http://store", {});
    const answer = await markUnkept(type, desired, state, context);
    expect(answer).toEqual({ ...state, outputs: { tags_all: object.tags } });
    expect(object.tags[unkeptTag]).toMatch(/^[0-9a-f]{8}$/);
    expect(told).toEqual(["http://store does not keep grace of web: what it shows instead counts as wanted"]);
    expect(changed({ grace: 60 })).toEqual([]);
    expect(changed({ grace: 61 })).toEqual(["grace"]);
    expect(changed({ grace: 60 }, { grace: 30 })).toEqual(["grace"]);
    expect(changed({ grace: 60, other: 1 })).toEqual(["other"]);
  });

  test("is given again once where a create dropped it", async () => {
    const { told, object, context, type } = open("http://store", {});
    const repair = ({ deadline }: Context) => {
      expect(deadline).toBe(70_000);
      object.inputs = { grace: 60 };
      return Promise.resolve({ id: "id-1", outputs: {} });
    };
    expect(await markUnkept(type, desired, state, context, repair)).toMatchObject({ created: true });
    expect([told, object.tags[unkeptTag]]).toEqual([[], "none"]);
  });

  test("leaves the write as it ended where the server cannot be marked or asked again", async () => {
    const { told, context, type, changed } = open("http://store", {});
    const refuse = () => Promise.reject(new ProviderFailure("unsupported", "Cannot tag"));
    expect(await markUnkept({ ...type, setMarks: refuse }, desired, state, context)).toBe(state);
    expect(told).toEqual(["http://store does not keep grace of web, which plans may show again: Cannot tag"]);
    expect(await markUnkept(type, desired, state, context, refuse)).toMatchObject({ id: "id-1", created: true });
    expect(told[1]).toBe("http://store does not keep grace of web: what it shows instead counts as wanted");
    expect(changed({ grace: 60 })).toEqual([]);
  });

  test("is not looked for while work waits for the end of the run", async () => {
    const { reads, waiting, context, type } = open("http://store", {});
    waiting.push({ resource: "web" });
    expect(await markUnkept(type, desired, state, context)).toBe(state);
    expect(reads).toEqual([]);
  });
});
