import { create } from "@bufbuild/protobuf";
import { TimestampSchema, type Timestamp } from "@bufbuild/protobuf/wkt";
import { WireFormatError } from "./json.ts";

/** 0001-01-01T00:00:00Z: Go's zero time, which stands for "unknown" like an absent timestamp. */
const goZeroSeconds = -62135596800n;
const maxSeconds = 253402300799n;
const rfc3339 = /^(\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;

/** The timestamp of an ISO 8601 text with a zone; undefined where there is none: never an epoch that means "unknown". */
export function toTimestamp(text: string | undefined, field: string): Timestamp | undefined {
  if (text === undefined) return undefined;
  const match = rfc3339.exec(text);
  const ms = match === null ? Number.NaN : Date.parse(`${match[1]}${match[3]}`.toUpperCase());
  if (match === null || Number.isNaN(ms)) throw new WireFormatError(field, "should hold an RFC 3339 time");
  return create(TimestampSchema, { seconds: BigInt(ms) / 1000n, nanos: Number((match[2] ?? "").padEnd(9, "0")) });
}

/** ISO 8601 in UTC with milliseconds, or with nanoseconds where there are any; undefined for an absent timestamp and for Go's zero time. */
export function fromTimestamp(timestamp: Timestamp | undefined, field: string): string | undefined {
  if (timestamp === undefined) return undefined;
  const { seconds, nanos } = timestamp;
  if (seconds === goZeroSeconds && nanos === 0) return undefined;
  if (seconds < goZeroSeconds || seconds > maxSeconds || nanos < 0 || nanos > 999_999_999) {
    throw new WireFormatError(field, "holds a time outside the years 1 to 9999");
  }
  const text = new Date(Number(seconds) * 1000).toISOString();
  const fraction = String(nanos).padStart(9, "0");
  return text.replace(".000Z", `.${fraction.endsWith("000000") ? fraction.slice(0, 3) : fraction}Z`);
}
