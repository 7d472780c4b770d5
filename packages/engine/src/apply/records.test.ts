import { sampleRecord } from "@wfctl/state/testing";
import { expect, test } from "vitest";
import { deposedOf, withoutObject } from "./records.ts";

test("an old object that is current again is hidden where its inputs were secret", () => {
  const old = { ...sampleRecord("a"), providerId: "item-1", sensitiveInputs: ["/pin"] };
  const replaced = {
    ...sampleRecord("a"),
    providerId: "item-2",
    sensitiveInputs: [],
    deposed: [deposedOf(old, "run-2")],
  };
  expect(withoutObject(replaced, "item-2")).toMatchObject({
    put: { providerId: "item-1", sensitiveInputs: ["/pin"], mark: "dirty", deposed: [] },
  });
});

test("a record whose only object is gone goes", () => {
  expect(withoutObject({ ...sampleRecord("a"), providerId: "item-1", deposed: [] }, "item-1")).toEqual({ remove: "a" });
});
