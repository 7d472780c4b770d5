import { expect, test } from "vitest";
import { createDurations } from "./durations.ts";

test("createDurations: expects the mean of what was seen, by provider, type and operation", () => {
  const durations = createDurations();
  expect(durations.expectedMs("aws", "infra.database", "create")).toBeUndefined();
  durations.note("aws", "infra.database", "create", 100);
  durations.note("aws", "infra.database", "create", 300);
  expect(durations.expectedMs("aws", "infra.database", "create")).toBe(200);
  expect(durations.expectedMs("aws", "infra.database", "delete")).toBeUndefined();
  expect(durations.expectedMs("gcp", "infra.database", "create")).toBeUndefined();
});

test("createDurations: a new revision only where what is expected has changed much", () => {
  const durations = createDurations();
  durations.note("aws", "infra.dns", "create", 100);
  const first = durations.revision();
  durations.note("aws", "infra.dns", "create", 105);
  expect(durations.revision()).toBe(first);
  durations.note("aws", "infra.dns", "create", 1000);
  expect(durations.revision()).toBeGreaterThan(first);
});

test("createDurations: what was kept is believed at first and gives way to what is seen now", () => {
  const before = createDurations();
  before.note("aws", "infra.dns", "create", 1000);
  const now = createDurations(before.entries());
  expect(now.expectedMs("aws", "infra.dns", "create")).toBe(1000);
  for (let call = 0; call < 60; call += 1) now.note("aws", "infra.dns", "create", 10);
  expect(now.expectedMs("aws", "infra.dns", "create")).toBeLessThan(50);
});
