import type { Digester } from "@wfctl/engine";
import { canonicalJson } from "@wfctl/model";
import { hashText } from "./seeded-random.ts";

/** Digests without a key: equal values give equal texts everywhere. For tests only, it hides nothing. */
export function createPlainDigester(): Digester {
  return {
    digest(value) {
      const text = canonicalJson(value);
      return `${text.length.toString(36)}.${hashText(text).toString(36)}.${hashText(`${text}#`).toString(36)}`;
    },
  };
}
