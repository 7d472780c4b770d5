/**
 * Holds what tests said to DigitalOcean's emulator, and what it answered, against another edition of its description than the
 * one that the emulator goes by.
 *
 *   WFCTL_EXCHANGE_LOG=exchanges.jsonl npx vitest run providers/digitalocean
 *   node tools/check-exchanges.ts FOLDER exchanges.jsonl
 *
 * FOLDER holds one OpenAPI description as JSON. Prints every violation with its operation and the pointer of the member,
 * and exits 1 where there is one, or where nothing was there to check.
 */
import { createReadStream, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { checkExchanges, type Exchange, type ExchangeReport, type JsonObject } from "@wfctl/emulator-core";
import { deviations } from "@wfctl/emulator-digitalocean";

/** The description of a folder: the JSON file that has paths. */
export function readDescription(folder: string): JsonObject {
  for (const name of readdirSync(folder).filter((each) => each.endsWith(".json"))) {
    const document = JSON.parse(readFileSync(join(folder, name), "utf8")) as JsonObject;
    if (document["openapi"] !== undefined && document["paths"] !== undefined) return document;
  }
  throw new Error(`Cannot find an OpenAPI description (*.json) in "${folder}"`);
}

export async function checkLog(folder: string, log: string): Promise<ExchangeReport> {
  return checkExchanges(readDescription(folder), readLog(log), deviations);
}

async function* readLog(file: string): AsyncGenerator<Exchange> {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (line !== "") yield JSON.parse(line) as Exchange;
  }
}

if (import.meta.main) {
  const [folder, log] = process.argv.slice(2);
  if (folder === undefined || log === undefined) {
    console.error("Usage: node tools/check-exchanges.ts FOLDER LOG");
    process.exit(1);
  }
  const { checked, unknown, findings, excused } = await checkLog(folder, log);
  for (const { operation, side, pointer, message, times } of findings) {
    console.log(`${operation}: ${side} ${pointer} ${message}${times > 1 ? ` (${times} times)` : ""}`);
  }
  for (const { why } of excused) console.log(`known: ${why}`);
  const left = [...unknown.values()].reduce((sum, count) => sum + count, 0);
  const names = [...unknown.keys()].toSorted().join(", ");
  console.log(`${checked} exchanges checked, ${findings.length} kinds of violation`);
  if (left > 0) console.log(`${left} of operations that the description does not have: ${names}`);
  if (findings.length > 0 || checked === 0) process.exitCode = 1;
}
