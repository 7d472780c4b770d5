import { emptyState } from "@wfctl/state";
import type { StackConfig } from "@wfctl/config";
import type { ResourceRecord } from "@wfctl/model";
import { expect, test } from "vitest";
import { describeSurroundings } from "./make-plan.ts";

test("of records that are brought up to date it is not said that no call was made: they may have been read", () => {
  const record = { name: "a", provider: "cloud", outputs: { port: 1 }, retain: false } as unknown as ResourceRecord;
  const stack = { providers: [{ name: "cloud" }], resources: [], moved: [] } as unknown as StackConfig;
  const state = { ...emptyState("l"), records: new Map([["a", record]]) };
  expect(describeSurroundings(stack, state, [{ put: { ...record, outputs: { port: 2 } } }])).toEqual([
    "1 record is brought up to date in the state; no object is changed for that.",
  ]);
  expect(describeSurroundings(stack, state, [{ put: record }])).toEqual([]);
});
