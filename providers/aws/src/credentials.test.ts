import { expect, test } from "vitest";
import { keepFresh } from "./credentials.ts";

test("temporary credentials are asked for once, and renewed before they expire", async () => {
  let now = 0;
  let asked = 0;
  const credentials = keepFresh(
    async () => {
      asked += 1;
      return { accessKeyId: `key-${asked}`, secretAccessKey: "s", expiration: new Date(now + 3_600_000) };
    },
    () => now,
  );
  const both = await Promise.all([credentials(), credentials()]);
  expect(both.map(({ accessKeyId }) => accessKeyId)).toEqual(["key-1", "key-1"]);
  now = 3_000_000;
  expect((await credentials()).accessKeyId).toBe("key-1");
  now = 3_400_000;
  expect((await credentials()).accessKeyId).toBe("key-2");
});

test("a failure is told with what to do, and asked again", async () => {
  let fails = true;
  const credentials = keepFresh(() =>
    fails ? Promise.reject(new Error("nothing found.")) : Promise.resolve({ accessKeyId: "k", secretAccessKey: "s" }),
  );
  await expect(credentials()).rejects.toMatchObject({
    class: "unauthorized",
    message: expect.stringContaining("AWS_PROFILE"),
  });
  fails = false;
  expect(await credentials()).toMatchObject({ accessKeyId: "k" });
});
