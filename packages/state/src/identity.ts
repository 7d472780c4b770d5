import { randomBytes } from "node:crypto";
import type { StackState } from "@wfctl/model";
import { createDraft } from "./draft.ts";
import { toStackState } from "./to-state.ts";

/** Who a stack is. */
export interface StackIdentity {
  readonly name: string;
  readonly environment: string;
  /** Random; stays with the stack for good. */
  readonly lineage: string;
}

/** What every store tells of its stack without a key. */
export interface StackInfo extends StackIdentity {
  readonly createdAt: string;
  readonly formatVersion: number;
  readonly serial: number;
}

/** 128 random bits, as 26 letters and digits. */
export function createLineage(): string {
  return BigInt(`0x${randomBytes(16).toString("hex")}`)
    .toString(32)
    .padStart(26, "0");
}

/** The state of a stack that has no store yet. */
export function emptyState(lineage: string): StackState {
  return toStackState(createDraft(lineage));
}
