import { describe, expect, test } from "vitest";
import { createLineage } from "../identity.ts";
import { thisHolder } from "../lease/holder.ts";
import { generateKey } from "../sealing/key.ts";
import { fillWithSecrets, rekeyContract, sealedTexts, withoutFingerprints } from "../testing/rekey-contract.ts";
import { createLogBackend } from "./backend.ts";
import { createMemoryBucket, type MemoryBucket } from "./memory-bucket.ts";
import { rekeyLog } from "./rekey.ts";
import { openLogStore } from "./store.ts";

const holder = thisHolder("wfctl state rekey");
const bytesOf = (bucket: MemoryBucket) => [...bucket.objects.values()].map(({ bytes }) => bytes);

async function createStack() {
  const [bucket, key] = [createMemoryBucket(), generateKey()];
  const create = { lineage: createLineage(), name: "shop", environment: "dev" };
  await (await openLogStore({ bucket, key, create })).close();
  const backend = createLogBackend({ bucket, emergency: "/nowhere/at-all" });
  return { bucket, key, backend, bytes: async () => bytesOf(bucket) };
}

describe("the key of a log", () => {
  rekeyContract(createStack);
});

test.each([false, true])(
  "a kill at any request (secrets dropped: %s) leaves a state that one of the keys opens, and again ends it",
  async (drops) => {
    for (let deadAt = 1; ; deadAt += 1) {
      const { bucket, key } = await createStack();
      const before = await fillWithSecrets(() => openLogStore({ bucket, key, snapshotBytes: 1 }));
      const newKey = generateKey();
      let requests = 0;
      const never = new Promise<void>(() => undefined);
      const dying = bucket.client({
        before: (call) => {
          if (call === "ageMs" || call === "list" || call === "get") return undefined;
          requests += 1;
          return requests >= deadAt ? never : undefined;
        },
      });
      const oldKey = drops ? undefined : key;
      const done = rekeyLog(dying, { holder: { ...holder, pid: 999_999_999 }, newKey, oldKey });
      const ended = await Promise.race([done.then(() => "ended"), waitUntil(() => requests >= deadAt)]);
      if (ended === "ended") break;
      const opened = await openLogStore({ bucket, key, readOnly: true }).catch(() =>
        openLogStore({ bucket, key: newKey, readOnly: true }),
      );
      const state = await opened.load();
      if (!drops) expect(withoutFingerprints(state)).toEqual(withoutFingerprints(before));
      expect([...state.records.keys()]).toEqual([...before.records.keys()]);
      const last = generateKey();
      const isNew = await openLogStore({ bucket, key: newKey, readOnly: true }).then(
        () => true,
        () => false,
      );
      const using = isNew ? newKey : key;
      await rekeyLog(bucket, { holder, newKey: last, oldKey: drops ? undefined : using });
      const after = await (await openLogStore({ bucket, key: last, readOnly: true })).load();
      if (!drops) expect(withoutFingerprints(after)).toEqual(withoutFingerprints(before));
      else expect(sealedTexts(bytesOf(bucket))).toEqual(new Set());
      expect(
        await createLogBackend({ bucket, emergency: "/nowhere" })
          .doctor()
          .then((found) => found.filter(({ check }) => check !== "outcome-missing")),
      ).toEqual([]);
      expect(deadAt).toBeLessThan(200);
    }
  },
);

/** Resolves once the condition holds: every request of the bucket takes a few microtasks. */
async function waitUntil(holds: () => boolean): Promise<string> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
  return "dead";
}
