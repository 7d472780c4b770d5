import { expect, test } from "vitest";
import { patiently } from "../testing/patiently.ts";
import { runBeats, type Beat } from "./run-beats.ts";

/** Resolves with how often it was beaten until the lease was reported lost. */
function untilLost(beat: Beat, expiryMs: number): Promise<number> {
  let beats = 0;
  return new Promise((resolve) => {
    // The beats themselves keep no process alive.
    const alive = setInterval(() => undefined, 1000);
    const counted = (): Promise<boolean> => {
      beats += 1;
      return beat();
    };
    runBeats(counted, { beatMs: 1, expiryMs }, (error) => {
      clearInterval(alive);
      expect(error).toMatchObject({ code: "LEASE_LOST" });
      resolve(beats);
    });
  });
}

test("a lease is lost at once when the store says so", async () => {
  let answers = 3;
  expect(await untilLost(async () => (answers -= 1) > 0, 60_000)).toBe(3);
});

test("a lease is lost when no beat came through within its expiry, not at the first that failed", async () => {
  await patiently(60, async (ms) => {
    expect(await untilLost(() => Promise.reject(new Error("no connection")), ms)).toBeGreaterThan(1);
  });
});

test("beats that are never answered are no beats", async () => {
  await patiently(60, async (ms) => {
    expect(await untilLost(() => new Promise(() => undefined), ms)).toBeGreaterThan(1);
  });
});

test("after it was stopped nothing is reported, whatever the beat under way says", async () => {
  let answer!: (held: boolean) => void;
  const asked = new Promise<void>((resolve) => {
    const stop = runBeats(
      () =>
        new Promise((reply) => {
          answer = reply;
          stop();
          resolve();
        }),
      { beatMs: 1, expiryMs: 1000 },
      () => expect.unreachable(),
    );
  });
  await asked;
  answer(false);
  await new Promise((resolve) => setImmediate(resolve));
});
