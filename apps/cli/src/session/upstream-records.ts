import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isJsonObject, WfctlError, type Json, type JsonObject } from "@wfctl/model";

/** A record of upstream's filesystem state, as its file holds it. */
export interface UpstreamRecord {
  readonly file: string;
  readonly value: JsonObject;
}

/** True where the folder holds at least one of upstream's records. A folder that cannot be read holds none. */
export function hasUpstreamRecords(directory: string): boolean {
  return candidateFiles(directory).some((file) => readRecord(file) !== undefined);
}

/** All records of a folder, by file name. Throws where the folder cannot be read or a file is no JSON. */
export function readUpstreamRecords(directory: string): UpstreamRecord[] {
  try {
    readdirSync(directory);
  } catch (cause) {
    throw new WfctlError("USAGE", `Cannot import from "${directory}": the folder cannot be read`, {
      hint: "Name the folder that upstream's iac.state module keeps its records in",
      cause,
    });
  }
  return candidateFiles(directory).flatMap((file) => {
    const value = readRecord(file, { strict: true });
    return value === undefined ? [] : [{ file, value }];
  });
}

function candidateFiles(directory: string): string[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  return names
    .filter((name) => name.endsWith(".json") && name !== "metadata.json" && !name.endsWith(".lock.json"))
    .toSorted()
    .map((name) => join(directory, name));
}

function readRecord(file: string, options: { readonly strict?: boolean } = {}): JsonObject | undefined {
  try {
    const value = JSON.parse(readFileSync(file, "utf8")) as Json;
    return isJsonObject(value) && typeof value["resource_id"] === "string" ? value : undefined;
  } catch (cause) {
    if (options.strict !== true) return undefined;
    throw new WfctlError("STORE_CORRUPT", `Cannot import "${file}": it is not JSON that can be read`, {
      hint: "Mend or remove the file, then import again",
      cause,
    });
  }
}
