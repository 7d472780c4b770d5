import type { StackState } from "@wfctl/model";
import { expect, test } from "vitest";
import type { StateBackend, StateStore } from "../backend.ts";
import { thisHolder } from "../lease/holder.ts";
import { generateKey, type StackKey } from "../sealing/key.ts";
import { leakedSecrets, secretEvents } from "./planted-secrets.ts";

/** One new, empty stack in a backend that more than one machine uses. */
export interface RekeySubject {
  readonly backend: StateBackend;
  readonly key: StackKey;
  /** Every byte that is stored. */
  bytes(): Promise<readonly Uint8Array[]>;
}

export async function fillWithSecrets(open: () => Promise<StateStore>): Promise<StackState> {
  const store = await open();
  const lease = await store.acquire(thisHolder("wfctl apply"));
  for (const events of secretEvents()) await store.commit(lease, events);
  const state = await store.load();
  await lease.release();
  await store.close();
  return state;
}

/** Every sealed text that is stored. */
export function sealedTexts(bytes: readonly Uint8Array[]): Set<string> {
  return new Set(
    bytes.flatMap(
      (each) =>
        Buffer.from(each)
          .toString("latin1")
          .match(/v1\.[0-9a-f]{8}\.[\w-]+/g) ?? [],
    ),
  );
}

export const withoutFingerprints = (state: StackState): unknown =>
  [...state.records.values()].map((record) => ({ ...record, fingerprint: "" }));

/** What `rekey` promises of every shared backend, as tests. */
export function rekeyContract(create: () => Promise<RekeySubject>): void {
  const holder = thisHolder("wfctl state rekey");

  test("a new key opens everything, the old one nothing, and no old ciphertext is read any more", async () => {
    const { backend, key, bytes } = await create();
    const others = sealedTexts(await bytes());
    const before = await fillWithSecrets(() => backend.open({ key }));
    const old = sealedTexts(await bytes()).difference(others);
    expect(old.size).toBeGreaterThan(5);
    const newKey = generateKey();
    await backend.rekey({ holder, oldKey: key, newKey });
    await expect(backend.open({ key })).rejects.toMatchObject({ code: "KEY_WRONG" });
    const store = await backend.open({ key: newKey });
    const after = await store.load();
    expect(withoutFingerprints(after)).toEqual(withoutFingerprints(before));
    expect([after.unknown, after.providerConfigs]).toEqual([before.unknown, before.providerConfigs]);
    expect(after.openRuns[0]?.openIntents).toEqual(before.openRuns[0]?.openIntents);
    expect(after.serial).toBe(before.serial + 1);
    expect([...sealedTexts(await bytes())].filter((text) => old.has(text))).toEqual([]);
    expect(leakedSecrets(await bytes())).toEqual([]);
    const run = after.openRuns[0]!.header.id;
    const lease = await store.acquire(holder);
    await store.commit(lease, [{ kind: "record", run, record: { put: after.records.get("a")! } }]);
    await store.close();
    const findings = (await backend.doctor()).map(({ check }) => check);
    expect(findings.filter((check) => check !== "outcome-missing")).toEqual([]);
  });

  test("a lost key is survived: what is not secret stays, and nothing sealed is left", async () => {
    const { backend, key, bytes } = await create();
    const others = sealedTexts(await bytes());
    const before = await fillWithSecrets(() => backend.open({ key }));
    const old = sealedTexts(await bytes()).difference(others);
    const newKey = generateKey();
    await backend.rekey({ holder, newKey });
    expect([...sealedTexts(await bytes())].filter((text) => old.has(text))).toEqual([]);
    const store = await backend.open({ key: newKey });
    const after = await store.load();
    expect([...after.records].map(([name, { providerId }]) => [name, providerId])).toEqual(
      [...before.records].map(([name, { providerId }]) => [name, providerId]),
    );
    expect([...after.unknown.keys(), after.providerConfigs.size]).toEqual([...before.unknown.keys(), 0]);
    expect(leakedSecrets([Buffer.from(JSON.stringify([...after.records, ...after.unknown]))])).toEqual([]);
    await store.close();
  });

  test("a wrong old key, and a lease that another holds, change nothing", async () => {
    const { backend, key } = await create();
    const before = await fillWithSecrets(() => backend.open({ key }));
    const wrong = backend.rekey({ holder, oldKey: generateKey(), newKey: generateKey() });
    await expect(wrong).rejects.toMatchObject({ code: "KEY_WRONG" });
    const store = await backend.open({ key });
    const lease = await store.acquire(thisHolder("wfctl apply"));
    const held = backend.rekey({ holder, oldKey: key, newKey: generateKey() });
    await expect(held).rejects.toMatchObject({ code: "LEASE_HELD" });
    expect(await store.load()).toEqual(before);
    await lease.release();
    await store.close();
  });

  test("a handle from before the change of the key cannot take the lease any more", async () => {
    const { backend, key } = await create();
    await fillWithSecrets(() => backend.open({ key }));
    const old = await backend.open({ key });
    await backend.rekey({ holder, oldKey: key, newKey: generateKey() });
    await expect(old.acquire(thisHolder("wfctl apply"))).rejects.toMatchObject({ code: "KEY_WRONG" });
    await old.close();
    expect((await backend.readLease()).holder).toBeUndefined();
  });
}
