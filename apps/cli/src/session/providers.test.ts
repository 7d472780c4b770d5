import type { ResourceRecord, StackState } from "@wfctl/model";
import { expect, test } from "vitest";
import { modulesOf, refuseOtherAccounts } from "./providers.ts";

const record = (name: string, rest: Partial<ResourceRecord> = {}): ResourceRecord => ({
  name,
  type: "infra.test",
  provider: "cloud",
  providerName: "aws",
  providerVersion: "1",
  providerIdentity: "account-1",
  providerId: name,
  outputs: {},
  sensitiveInputs: [],
  sensitiveOutputs: [],
  dependencies: [],
  fingerprint: "",
  protected: false,
  retain: false,
  createdByUs: true,
  deposed: [],
  createdAt: "",
  updatedAt: "",
  run: "",
  ...rest,
});

function withoutIdentity(one: ResourceRecord): ResourceRecord {
  const { providerIdentity: _identity, ...rest } = one;
  return rest;
}

const provider = (identity: string | undefined, name = "aws") => new Map([["cloud", { identity, name }]]);

test("another account than the recorded one is refused with both", () => {
  const call = () => refuseOtherAccounts([record("a"), record("b")], provider("account-2"));
  expect(call).toThrow(expect.objectContaining({ code: "OTHER_ACCOUNT" }));
  expect(call).toThrow(/answers for account-2; "a" and 1 more were made in account-1/);
});

test.each([
  ["the same account", record("a"), provider("account-1")],
  ["a provider that cannot tell", record("a"), provider(undefined)],
  ["a record that does not know", withoutIdentity(record("a")), provider("account-2")],
  ["another kind of provider, which is a replace", record("a"), provider("account-2", "gcp")],
  ["a module that was not started", record("a", { provider: "gone" }), provider("account-2")],
])("%s is let through", (_, one, providers) => {
  expect(() => refuseOtherAccounts([one], providers)).not.toThrow();
});

test("the modules of what is wanted, recorded, deposed and owed are needed; what is only forgotten needs none", () => {
  const records = [
    record("a", { provider: "recorded" }),
    record("b", { provider: "kept", retain: true }),
    record("c", { provider: "recorded", deposed: [{ provider: "old" } as never] }),
  ];
  const state = {
    records: new Map(records.map((one) => [one.name, one])),
    finalizeOwed: ["owed"],
  } as unknown as StackState;
  const desired = [{ name: "x", provider: "wanted" } as never];
  expect([...modulesOf({ resources: desired }, state)].toSorted()).toEqual(["old", "owed", "recorded", "wanted"]);
});
