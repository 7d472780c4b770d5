import type { DatabaseSync } from "node:sqlite";
import type { Json } from "@wfctl/model";
import type { Finding } from "../finding.ts";
import { sumOf } from "./checksum.ts";

export interface Repairable extends Finding {
  readonly fix?: (db: DatabaseSync) => void;
}

/** A row of a query. */
export interface Row {
  readonly [column: string]: unknown;
}

/** The body of a row; undefined where it is damaged. */
export function parseRow(key: string, row: Row): Json | undefined {
  const body = row["body"];
  return typeof body === "string" && sumOf(key, body) === row["sum"] ? parseText(body) : undefined;
}

export function parseText(text: unknown): Json | undefined {
  try {
    return JSON.parse(text as string) as Json;
  } catch {
    return undefined;
  }
}
