import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { StackState } from "@wfctl/model";
import { expect, test } from "vitest";
import { emergencyPath, writeEmergency } from "../emergency.ts";
import { thisHolder } from "../lease/holder.ts";
import { generateKey } from "../sealing/key.ts";
import { leakedSecrets, secretEvents } from "../testing/planted-secrets.ts";
import { createTemporaryStack, type TemporaryStack } from "../testing/temporary-stack.ts";
import { doctor } from "./doctor.ts";
import { dropSecrets, rekey } from "./rekey.ts";

async function fill(stack: TemporaryStack): Promise<StackState> {
  const store = await stack.open();
  const lease = await store.acquire(thisHolder("wfctl apply"));
  for (const events of secretEvents()) await store.commit(lease, events);
  const state = await store.load();
  await store.close();
  return state;
}

/** Every sealed text that stands in any file of the stack. */
function sealedTexts(stack: TemporaryStack): Set<string> {
  const files = readdirSync(stack.directory).map((name) => readFileSync(join(stack.directory, name), "latin1"));
  return new Set(files.flatMap((text) => text.match(/v1\.[0-9a-f]{8}\.[\w-]+/g) ?? []));
}

const holder = thisHolder("wfctl state rekey");
const withoutFingerprints = (state: StackState) =>
  [...state.records.values()].map((record) => ({ ...record, fingerprint: "" }));

test("a new key opens everything, the old one nothing, and no old ciphertext is left", async () => {
  await using stack = createTemporaryStack();
  const before = await fill(stack);
  const old = sealedTexts(stack);
  expect(old.size).toBeGreaterThan(5);
  const newKey = generateKey();
  rekey({ path: stack.path, holder, oldKey: stack.key, newKey });
  await expect(stack.open()).rejects.toMatchObject({ code: "KEY_WRONG" });
  const store = await stack.open({ key: newKey });
  const after = await store.load();
  expect(withoutFingerprints(after)).toEqual(withoutFingerprints(before));
  expect([after.unknown, after.providerConfigs]).toEqual([before.unknown, before.providerConfigs]);
  expect(after.openRuns[0]?.openIntents).toEqual(before.openRuns[0]?.openIntents);
  expect(after.serial).toBe(before.serial + 1);
  expect([...sealedTexts(stack)].filter((text) => old.has(text))).toEqual([]);
  expect(doctor(stack.path).map(({ check }) => check)).toEqual(["outcome-missing"]);
  const lease = await store.acquire(thisHolder("wfctl apply"));
  await store.commit(lease, [{ kind: "record", run: "r2", record: { put: after.records.get("a")! } }]);
});

test("a wrong old key changes nothing", async () => {
  await using stack = createTemporaryStack();
  const before = await fill(stack);
  const wrong = () => rekey({ path: stack.path, holder, oldKey: generateKey(), newKey: generateKey() });
  expect(wrong).toThrow(expect.objectContaining({ code: "KEY_WRONG" }));
  expect(await (await stack.open()).load()).toEqual(before);
});

test("a key change is refused while another holds the lease, or outcomes wait in an emergency file", async () => {
  await using stack = createTemporaryStack();
  await fill(stack);
  const store = await stack.open();
  const lease = await store.acquire(thisHolder("wfctl apply"));
  const change = () => rekey({ path: stack.path, holder, oldKey: stack.key, newKey: generateKey() });
  expect(change).toThrow(expect.objectContaining({ code: "LEASE_HELD" }));
  await lease.release();
  writeEmergency(emergencyPath(stack.path, "r2"), "r2", [], store.sealer!);
  expect(change).toThrow(expect.objectContaining({ code: "STORE_UNAVAILABLE" }));
});

test("a lost key is survived: everything that is not secret stays", async () => {
  await using stack = createTemporaryStack();
  const before = await fill(stack);
  const newKey = generateKey();
  dropSecrets({ path: stack.path, holder, newKey });
  expect(sealedTexts(stack)).toEqual(new Set());
  const after = await (await stack.open({ key: newKey })).load();
  expect(leakedSecrets([Buffer.from(JSON.stringify([...after.records, ...after.unknown]))])).toEqual([]);
  for (const [name, record] of before.records) {
    const { inputs: _inputs, outputs, deposed, ...rest } = record;
    expect(after.records.get(name)).toEqual({
      ...rest,
      outputs: { url: outputs["url"] },
      deposed: deposed.map((object) => ({ ...object, outputs: {} })),
      fingerprint: "",
      // What was lost is read again by the next plan.
      revisitAt: "1970-01-01T00:00:00.000Z",
    });
  }
  expect([...after.unknown.keys()]).toEqual([...before.unknown.keys()]);
  expect(after.unknown.get("b")?.intent).not.toHaveProperty("inputs");
  expect(after.unknown.get("b")?.intent.clientToken).toBe(before.unknown.get("b")?.intent.clientToken);
  expect(after.providerConfigs.size).toBe(0);
  expect(
    doctor(stack.path)
      .filter(({ severity }) => severity === "error")
      .map(({ check }) => check),
  ).toEqual(["outcome-missing"]);
});
