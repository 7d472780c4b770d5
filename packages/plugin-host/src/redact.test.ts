import { expect, test } from "vitest";

import { createRedactor, findSecrets } from "./redact.ts";

test("secrets are the longer texts below keys that sound like one", () => {
  const config = {
    region: "a-region-of-some-length",
    token: "the-api-token",
    short_secret: "abc",
    credentials: { type: "static-keys", nested: ["in-a-list-below"] },
    accessKey: "access-key-1",
    port: 12345678,
  };
  expect(findSecrets(config)).toEqual(["the-api-token", "static-keys", "in-a-list-below", "access-key-1"]);
});

test("a secret is hidden as it is and as it may be encoded", () => {
  const secret = 'pass"word/with+odd chars';
  const redact = createRedactor([secret]);
  const texts = [
    secret,
    JSON.stringify({ secret }),
    encodeURIComponent(secret),
    Buffer.from(secret).toString("base64"),
    Buffer.from(secret).toString("base64url"),
  ];
  for (const text of texts) {
    expect(redact(`before ${text} after`)).toMatch(/^before .*\(hidden\).* after$/);
    expect(redact(text)).not.toContain(text);
  }
});

test("of two secrets, one part of the other, nothing is left", () => {
  const redact = createRedactor(["password-1", "password-1-and-more"]);
  expect(redact("x password-1-and-more y")).toBe("x (hidden) y");
});

test("short secrets and texts with half a character are let through without harm", () => {
  expect(createRedactor(["abc"])("abc")).toBe("abc");
  expect(createRedactor(["\ud800 is no character"])("fine")).toBe("fine");
});
