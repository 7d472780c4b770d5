import fc from "fast-check";
import type { Json, JsonObject } from "@wfctl/model";

// Values for property tests.

/** Any text that UTF-8 can carry. */
export const text = fc.string({ unit: "binary", maxLength: 12 });

/** Any value that JSON text carries both ways: -0 is not among them. */
export const jsonValue = fc
  .jsonValue({ stringUnit: "binary" })
  .map((value) => JSON.parse(JSON.stringify(value)) as Json);

export const jsonObject = fc
  .dictionary(text, jsonValue, { maxKeys: 5, noNullPrototype: true })
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonObject);

/** ISO 8601 in UTC, as `fromTimestamp` writes it. */
export const isoTime = fc
  .date({ min: new Date("0001-01-02T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true })
  .map((date) => date.toISOString());
