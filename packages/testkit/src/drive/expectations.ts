import { expect } from "vitest";
import type { JsonObject } from "@wfctl/model";
import type { Driver } from "./drive.ts";

export { patiently } from "@wfctl/state/testing";

/** Fails where a plan of this configuration would change a live object. */
export async function expectQuiet(driver: Driver, name: string, config: JsonObject, id: string): Promise<void> {
  const live = await driver.read(name, id);
  expect(live, `${name} exists`).toBeDefined();
  expect((await driver.diff(name, config, live!)).changes, "against what is live").toEqual([]);
  const recorded = { ...live!, inputs: config };
  expect((await driver.diff(name, config, recorded)).changes, "against what was applied").toEqual([]);
}

/** Paths that a plan of this configuration would change; those that replace the object end in "!". */
export async function changedPaths(driver: Driver, name: string, config: JsonObject, id: string): Promise<string[]> {
  const live = await driver.read(name, id);
  const { changes } = await driver.diff(name, config, live!);
  return changes.map(({ path, forceNew }) => `${path}${forceNew ? "!" : ""}`).toSorted();
}
