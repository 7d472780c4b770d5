import { setTimeout as sleep } from "node:timers/promises";
import { WfctlError } from "@wfctl/model";
import { remoteHolder } from "./dead-process.ts";
import { openForTest } from "./open-for-test.ts";

/**
 * A program that tries to take a lease again and again for some time, and prints what it got in the end: `try-lease.ts MS
 * JSON`, where JSON names the store.
 */
const [forMs, where] = process.argv.slice(2) as [string, string];
const store = await openForTest(JSON.parse(where) as Parameters<typeof openForTest>[0]);
let got = "";
for (const until = Date.now() + Number(forMs); Date.now() < until && got !== "taken"; await sleep(50)) {
  got = await store.acquire(remoteHolder("thief")).then(
    () => "taken",
    (error: unknown) => WfctlError.from(error).code,
  );
}
await store.close();
process.stdout.write(got);
