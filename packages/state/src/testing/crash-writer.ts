import { writeSync } from "node:fs";
import type { JournalEvent } from "@wfctl/model";
import { thisHolder } from "../lease/holder.ts";
import { parseKey } from "../sealing/key.ts";
import { openSqliteStore } from "../sqlite/store.ts";
import { crashCommit } from "./crash-commits.ts";

/**
 * A program that commits until it is killed: `crash-writer.ts PATH KEY`. It goes on where the state stands, keeps some
 * commits in flight, and prints the number of each that was acknowledged.
 */
const [path, keyText] = process.argv.slice(2) as [string, string];
const store = await openSqliteStore({ path, key: parseKey(keyText, "argument") });
const lease = await store.acquire(thisHolder("crash-writer"));
let count = (await store.load()).serial;

const commitNext = async (): Promise<never> => {
  for (;;) {
    count += 1;
    const number = count;
    const events: JournalEvent[] = crashCommit(number);
    await store.commit(lease, events);
    writeSync(1, `${number}\n`);
  }
};

await Promise.all([commitNext(), commitNext(), commitNext(), commitNext()]);
