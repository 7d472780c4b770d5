import { WfctlError, type ErrorCode } from "@wfctl/model";

/**
 * Primary result codes of SQLite that mean the content is broken, not that it cannot be reached. A plain error (1) is
 * among them: our statements are fixed, so what they do not find is missing.
 */
const corrupt = new Set([1, 11, 26]);

/** What each primary result code means for the person who reads it. */
const meanings: Readonly<Record<number, string>> = {
  1: "its tables are not as they should be",
  5: "another process is writing to it",
  6: "another process is writing to it",
  8: "it may not be written",
  10: "reading or writing the disk failed",
  11: "its content is damaged",
  13: "the disk is full",
  14: "it cannot be opened",
  23: "access was denied",
  26: "it is no state of wfctl",
};

/** Turns what SQLite throws into `STORE_CORRUPT` or `STORE_UNAVAILABLE`; other errors of ours stay as they are. */
export function toStoreError(thrown: unknown, doing: string): WfctlError {
  if (thrown instanceof WfctlError) return thrown;
  const code = primaryCode(thrown);
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  const meaning = code === undefined ? undefined : meanings[code];
  const why = meaning === undefined ? detail : `${meaning} (${detail})`;
  if (code !== undefined && corrupt.has(code)) {
    return new WfctlError("STORE_CORRUPT", `${doing} failed: ${why}`, {
      hint: "Run: wfctl state doctor",
      cause: thrown,
    });
  }
  return new WfctlError("STORE_UNAVAILABLE", `${doing} failed: ${why}`, { cause: thrown });
}

function primaryCode(thrown: unknown): number | undefined {
  const code = (thrown as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code & 0xff : undefined;
}

/** A `WfctlError` as it crosses a thread. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
}

export function toPlain(error: WfctlError): PlainError {
  return { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}

export function fromPlain({ code, message, hint }: PlainError): WfctlError {
  return new WfctlError(code, message, hint === undefined ? {} : { hint });
}
