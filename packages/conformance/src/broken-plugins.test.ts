import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeShelf } from "../testdata/plugin-folder.ts";
import { listScenarios, runConformance, type Level } from "./index.ts";

/** Defect of the shelf → the scenarios that must see it. */
const defects: Readonly<Record<string, readonly string[]>> = {
  "no-cookie-check": ["cookie"],
  banner: ["handshake"],
  "one-at-a-time": ["two-processes"],
  "own-directory": ["socket-directory"],
  "honours-leftovers": ["leftover-environment"],
  "dies-of-sigint": ["sigint"],
  "ignores-sigterm": ["sigterm"],
  "ignores-shutdown": ["shutdown"],
  "leaves-socket": ["socket-removed"],
  orphan: ["orphan"],
  unhealthy: ["health"],
  "other-manifest": ["get-manifest"],
  "advertises-stubs": ["registry-served", "manifest-honest"],
  "hides-validator": ["registry-complete", "manifest-honest"],
  "hides-driver": ["registry"],
  "nameless-file": ["registry-file-set"],
  "no-health-check": ["registry-methods"],
  v1: ["capabilities", "capabilities-early", "loads"],
  "wants-configuration": ["capabilities-early"],
  "other-types": ["samples-known"],
  "more-types": ["every-type", "type-names"],
  "dies-unconfigured": ["initialize-empty"],
  "takes-any-key": ["initialize-strict"],
  "new-identity": ["identity"],
  "keeps-configurations": ["configurations"],
  "empty-reply": ["create"],
  "no-id": ["create"],
  "other-name": ["create"],
  "unstable-read": ["read-stable"],
  "shy-read": ["read-complete"],
  "id-only": ["read-by-name"],
  "plain-absence": ["absence", "absence-code"],
  "code-only-absence": ["absence"],
  "text-only-absence": ["absence-code"],
  "delete-once": ["delete-twice"],
  "keeps-deleted": ["delete-twice"],
  "unmarked-clash": ["create-existing"],
  "takes-over": ["create-foreign"],
  "forgets-update": ["update"],
  "update-makes": ["update-gone"],
  "remembers-names": ["replace"],
  "takes-anything": ["invalid-input"],
  "any-type": ["unknown-type"],
  "no-type": ["type-missing"],
  "empty-health": ["health-check"],
  "number-as-secret": ["sensitive"],
  "unlisted-secret": ["sensitive"],
  "epoch-times": ["import"],
  "dies-in-import": ["import"],
  "odd-status": ["status"],
  "lists-nothing": ["enumerate"],
  "restless-diff": ["diff-quiet"],
  "blind-diff": ["diff-change"],
  "never-replaces": ["diff-replace"],
  "impure-diff": ["diff-pure"],
  "resolved-only": ["diff-placeholders"],
  "sees-no-ghosts": ["drift"],
  "sees-no-drift": ["drift-config"],
  "finds-nothing": ["validate-plan"],
  "plans-twice": ["plan-pure"],
  "failing-finalizer": ["finalize"],
  "no-session": ["session"],
  "no-inputs": ["reads-inputs"],
  unrecoverable: ["recoverable"],
  "silent-create": ["create-says-created"],
  "forgets-tokens": ["create-convergent"],
  "no-lookup": ["lookup"],
  forgetful: ["recovery"],
  "deaf-to-stop": ["stop"],
  "loses-partials": ["partial"],
  "dies-when-late": ["deadline"],
  "small-requests": ["large-request"],
  "medium-requests": ["larger-request"],
  "small-replies": ["large-reply"],
};

/** Seen only after other scenarios have run. */
const inHindsight: Readonly<Record<string, readonly [before: string, seen: string]>> = {
  chatty: ["sigint", "stdout-silent"],
  "long-line": ["sigint", "stdout-lines"],
  "odd-json-log": ["registry", "stderr-lines"],
  "tells-secrets": ["registry", "secrets-hidden"],
  "keeps-deleted": ["status", "clean-up"],
};

async function failuresOf(folder: string, only: readonly string[], level: Level = "strict"): Promise<string[]> {
  const report = await runConformance(folder, { level, only });
  return report.results.filter(({ result }) => result === "failed").map(({ id }) => id);
}

describe.concurrent("a plugin with one defect", () => {
  test.for(Object.entries(defects))("%s is caught by %s", async ([defect, ids], { expect }) => {
    expect((await failuresOf(await makeShelf(defect), ids)).toSorted()).toEqual(ids.toSorted());
  });

  test.for(Object.entries(inHindsight))("%s is caught by %s", async ([defect, ids], { expect }) => {
    expect(await failuresOf(await makeShelf(defect), ids)).toContain(ids[1]);
  });

  test("the contract level finds a delete that removes nothing", async ({ expect }) => {
    expect(await failuresOf(await makeShelf("keeps-deleted"), ["delete"], "contract")).toEqual(["delete"]);
  });
});

describe("plugin.json", () => {
  const without =
    (key: string) =>
    ({ [key]: _dropped, ...rest }: Record<string, unknown>) =>
      rest;

  test.for([
    ["a manifest without an author", "manifest", without("author")],
    ["a manifest without its lifecycle", "manifest-complete", without("iacProvider")],
    ["a manifest without its services", "manifest-honest", without("iacServices")],
    ["a manifest that names v1", "loads", (json) => ({ ...json, iacProvider: { computePlanVersion: "v1" } })],
  ] as [string, string, (json: Record<string, unknown>) => Record<string, unknown>][])(
    "%s is caught by %s",
    async ([, id, change]) => {
      expect(await failuresOf(await makeShelf("", change), [id])).toEqual([id]);
    },
  );
});

test("every scenario that strict requires is seen to fail", () => {
  const caught = new Set([...Object.values(defects).flat(), ...Object.values(inHindsight).map(([, seen]) => seen)]);
  for (const id of ["manifest", "manifest-complete", "manifest-honest", "loads", "delete"]) caught.add(id);
  expect(listScenarios().filter(({ id }) => !caught.has(id))).toEqual([]);
});

describe("a scenario that cannot be tried", () => {
  test("is a failure at level strict and none at level contract", async () => {
    const folder = await makeShelf();
    const file = join(folder, "conformance.json");
    const { samples, ...rest } = JSON.parse(readFileSync(file, "utf8")) as { samples: { replace?: object }[] };
    delete samples[0]?.replace;
    writeFileSync(file, JSON.stringify({ ...rest, samples }));
    const strict = await runConformance(folder, { only: ["diff-replace"] });
    expect(strict).toMatchObject({ conforms: false, failures: [{ id: "diff-replace", result: "skipped" }] });
    expect(strict.failures[0]?.message).toContain('has no "replace"');
    expect(await runConformance(folder, { only: ["diff-replace"], level: "contract" })).toMatchObject({
      conforms: true,
    });

    writeFileSync(file, JSON.stringify({ ...rest, samples, notApplicable: { "diff-replace": "books never move" } }));
    const waived = await runConformance(folder, { only: ["diff-replace"] });
    expect(waived).toMatchObject({
      conforms: true,
      results: [{ result: "not-applicable", message: "books never move" }],
    });
  });

  test("without any sample names the file that is missing", async () => {
    const folder = await makeShelf();
    writeFileSync(join(folder, "conformance.json"), '{ "provider": { "root": "${tmp}/x" } }');
    const report = await runConformance(folder, { only: ["create", "identity"] });
    expect(report.results).toMatchObject([
      { id: "identity", result: "passed" },
      { id: "create", result: "skipped", message: expect.stringContaining("conformance.json") as string },
    ]);
  });
});
