import { afterAll, beforeAll, describe } from "vitest";
import { createBucketSubject } from "../testing/bucket-subject.ts";
import { azuriteAccount, createContainer, startAzurite } from "../testing/servers/azurite.ts";
import type { TestServer } from "../testing/servers/server.ts";
import { storeContract } from "../testing/store-contract.ts";
import { createAzureBlobBucket } from "./bucket.ts";

describe("Azure blobs (azurite)", () => {
  let server: TestServer;
  let stacks = 0;
  beforeAll(async () => {
    server = await startAzurite();
    await createContainer(server, "states");
  });
  afterAll(() => server.stop());

  storeContract(
    "the log in a container of Azure blobs",
    () =>
      createBucketSubject(
        createAzureBlobBucket({
          accountUrl: server.address,
          ...azuriteAccount,
          container: "states",
          prefix: `team a&b/${(stacks += 1)}/`,
        }),
      ),
    { expiryMs: 2000 },
  );
});
