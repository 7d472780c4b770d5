import { expect, test } from "vitest";
import { createSecretSet } from "./redact.ts";

function secretsOf(...values: readonly string[]) {
  const secrets = createSecretSet();
  secrets.add(
    values,
    values.map((_, index) => `/${index}`),
  );
  return secrets;
}

test("hides a secret as it is and as it looks in JSON, URLs, forms and base64", () => {
  const secret = 'p@ss "w<o>rd" & more/+';
  const secrets = secretsOf(secret);
  const forms = [
    secret,
    JSON.stringify(secret),
    JSON.stringify(secret).replaceAll("<", "\\u003c").replaceAll(">", "\\u003e").replaceAll("&", "\\u0026"),
    encodeURIComponent(secret),
    encodeURIComponent(secret).replaceAll("%20", "+"),
    Buffer.from(secret).toString("base64"),
    Buffer.from(secret).toString("base64url"),
  ];
  for (const form of forms)
    expect(secrets.redact(`before ${form} after`)).toMatch(/^before .?\(sensitive\)=*.? after$/);
});

test("values under eight characters are not searched for: they would hide half of every text", () => {
  expect(secretsOf("1234567").redact("a 1234567 b")).toBe("a 1234567 b");
  expect(secretsOf("12345678").redact("a 12345678 b")).toBe("a (sensitive) b");
});

test("a secret that holds another one leaves nothing of it behind", () => {
  expect(secretsOf("password", "password-and-more").redact("x password-and-more y")).toBe("x (sensitive) y");
});

test("secrets that overlap leave nothing of either behind, and what stands between two stays", () => {
  const secrets = secretsOf("abcdefgh", "defghijklmnop", "https://a:one", "https://a:one-and-two");
  expect(secrets.redact("x abcdefghijklmnop y")).toBe("x (sensitive) y");
  expect(secrets.redact("abcdefgh, https://a:one-and-two")).toBe("(sensitive), (sensitive)");
  expect(secrets.redact("https://a:on abcdefg defghijk")).toBe("https://a:on abcdefg defghijk");
});

test("looks into lists and maps, and takes any text", () => {
  const secrets = createSecretSet();
  secrets.add({ a: { b: ["nested-secret", "\ud800lone-surrogate"] }, c: "not secret" }, ["/a", "/gone"]);
  expect(secrets.redact("nested-secret not secret")).toBe("(sensitive) not secret");
  expect([secrets.occursIn({ x: ["my nested-secret!"] }), secrets.occursIn({ x: "fine" })]).toEqual([true, false]);
});
