import { createBucketSubject } from "../testing/bucket-subject.ts";
import { storeContract } from "../testing/store-contract.ts";
import { createMemoryBucket } from "./memory-bucket.ts";

storeContract("the log store", () => createBucketSubject(createMemoryBucket()));
storeContract("the log store with a snapshot after every commit", () =>
  createBucketSubject(createMemoryBucket(), { snapshotBytes: 1 }),
);
