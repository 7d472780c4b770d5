import { afterAll, beforeAll, describe } from "vitest";
import { storeContract } from "../testing/store-contract.ts";
import { createBucketSubject } from "../testing/bucket-subject.ts";
import { motoProblem, startMoto } from "../testing/servers/moto.ts";
import type { TestServer } from "../testing/servers/server.ts";
import { createS3Bucket } from "./bucket.ts";

describe.skipIf(motoProblem() !== undefined)("S3 (moto)", () => {
  let server: TestServer;
  let stacks = 0;
  beforeAll(async () => {
    server = await startMoto();
    await fetch(`${server.address}/states`, { method: "PUT" });
  });
  afterAll(() => server.stop());

  storeContract(
    "the log in an S3 bucket",
    () =>
      createBucketSubject(
        createS3Bucket({
          endpoint: server.address,
          bucket: "states",
          prefix: `team a/${(stacks += 1)}/`,
          accessKeyId: "key",
          secretAccessKey: "secret",
        }),
      ),
    { expiryMs: 2000 },
  );
});
