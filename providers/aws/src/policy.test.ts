import { expect, test } from "vitest";
import { normalPolicyText, policyDocument } from "./policy.ts";

const statement = { Effect: "Allow", Action: ["s3:GetObject"], Resource: "arn:aws:s3:::b/*" };

test("policies that AWS reads alike have one form", () => {
  const forms = [
    { Version: "2012-10-17", Statement: statement },
    { Statement: [{ ...statement, Action: "s3:GetObject" }], Version: "2012-10-17" },
    JSON.stringify({ Version: "2012-10-17", Statement: [{ ...statement, Resource: ["arn:aws:s3:::b/*"] }] }, null, 2),
  ];
  expect(new Set(forms.map((form) => policyDocument.parse(form))).size).toBe(1);
});

test("the order of actions means nothing, that of statements does", () => {
  const of = (actions: string[]) =>
    normalPolicyText(JSON.stringify({ Statement: [{ ...statement, Action: actions }] }));
  expect(of(["b", "a"])).toBe(of(["a", "b"]));
  const both = (list: object[]) => normalPolicyText(JSON.stringify({ Statement: list }));
  expect(both([statement, { Effect: "Deny" }])).not.toBe(both([{ Effect: "Deny" }, statement]));
});

test("what is no JSON object is refused", () => {
  for (const text of ["", "no", "[]", '"x"']) expect(policyDocument.safeParse(text).success).toBe(false);
});
