import { WfctlError, type Json } from "@wfctl/model";
import { describe, expect, test } from "vitest";
import { readForeignState } from "./read-foreign-state.ts";

const aws = 'provider["registry.terraform.io/hashicorp/aws"]';
const tfstate = (...resources: readonly object[]) => ({ version: 4, lineage: "l", serial: 1, resources }) as Json;
const vpc = (more: object, ...instances: readonly object[]) => ({
  mode: "managed",
  type: "aws_vpc",
  name: "main",
  provider: aws,
  instances,
  ...more,
});

function refusal(value: unknown): WfctlError {
  try {
    readForeignState("x.json", value as Json);
  } catch (error) {
    if (error instanceof WfctlError) return error;
    throw error;
  }
  throw new Error("It was not refused");
}

describe("a state of Terraform", () => {
  test("gives each instance of count and for_each, with its modules, provider and dependencies", () => {
    const { objects } = readForeignState(
      "x",
      tfstate(
        vpc(
          { module: 'module.net["eu.1"].module.inner[0]', each: "list" },
          { index_key: 1, attributes: { id: "vpc-1" } },
        ),
        vpc(
          { provider: `module.net.${aws}.west`, each: "map" },
          { index_key: 'a"b', attributes: { id: "vpc-2" }, dependencies: ["aws_x.y"], status: "tainted" },
        ),
      ),
    );
    expect(objects).toMatchObject([
      {
        address: 'module.net["eu.1"].module.inner[0].aws_vpc.main[1]',
        path: ["net-eu.1", "inner-0"],
        key: "1",
        provider: { name: "aws" },
        status: "current",
      },
      {
        address: String.raw`aws_vpc.main["a\"b"]`,
        key: 'a"b',
        provider: { name: "aws", alias: "west" },
        dependencies: ["aws_x.y"],
        status: "tainted",
      },
    ]);
    expect(objects[0]?.attribute("id")).toEqual({ is: "value", text: "vpc-1" });
    expect(objects[0]?.attribute("constructor")).toEqual({ is: "missing" });
  });

  test("tells deposed objects from current ones, and passes data sources over", () => {
    const { objects, skipped } = readForeignState(
      "x",
      tfstate(vpc({}, { attributes: { id: "new" } }, { deposed: "0a1b", attributes: { id: "old" } }), {
        ...vpc({}),
        mode: "data",
      }),
    );
    expect(objects.map(({ address, status }) => [address, status])).toEqual([
      ["aws_vpc.main", "current"],
      ["aws_vpc.main (deposed 0a1b)", "old"],
    ]);
    expect(skipped).toMatchObject([{ address: "data.aws_vpc.main" }]);
  });

  test.each([
    [vpc({ provider: "nonsense" }, {}), '/resources/0 has the provider "nonsense"'],
    [vpc({ module: "nonsense" }, {}), '/resources/0 has the module "nonsense"'],
    [vpc({ mode: "magic" }), '/resources/0 has the mode "magic"'],
    [vpc({ type: 7 }), "/resources/0/type is a number, expected a text"],
    [vpc({ name: "" }), "/resources/0/name is empty, expected a text"],
    [vpc({ instances: {} }), "/resources/0/instances is an object, expected a list"],
    [vpc({}, 3 as unknown as object), "/resources/0/instances/0 is a number, expected an object"],
    [vpc({}, { attributes: [] }), "/resources/0/instances/0/attributes is a list, expected an object"],
    [vpc({}, { index_key: {} }), "/resources/0/instances/0 has an index_key"],
    [vpc({}, { dependencies: [1] }), "/resources/0/instances/0/dependencies/0 is a number, expected a text"],
  ])("is refused with the place of what cannot be read: %#", (resource, message) => {
    expect(refusal(tfstate(resource)).message).toContain(message);
  });
});

const urn = (type: string, name: string): string => `urn:pulumi:dev::shop::${type}::${name}`;
const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:abc" };
const pulumi = (...resources: readonly object[]) =>
  ({ version: 3, deployment: { manifest: {}, resources, pending_operations: [] } }) as unknown as Json;

describe("an export of Pulumi", () => {
  const type = "aws:s3/bucket:Bucket";
  test("gives custom resources with their parents, provider, marks, and attributes by Terraform's names", () => {
    const component = urn("acme:web:Site", "site");
    const chained = urn(`acme:web:Site$${type}`, "a::b");
    const { objects, skipped, notes } = readForeignState(
      "x",
      pulumi(
        { urn: urn("pulumi:pulumi:Stack", "shop-dev"), custom: false, type: "pulumi:pulumi:Stack" },
        { urn: component, custom: false, type: "acme:web:Site", parent: urn("pulumi:pulumi:Stack", "shop-dev") },
        {
          urn: chained,
          custom: true,
          id: "assets",
          type,
          parent: component,
          provider: `${urn("pulumi:providers:aws", "west")}::6c5e`,
          protect: true,
          outputs: { zoneId: "Z1", password: secret, list: [secret] },
          propertyDependencies: { x: [urn("t", "other")] },
        },
        { urn: urn(type, "old"), custom: true, id: "b2", type, delete: true },
        { urn: urn(type, "read"), custom: true, id: "b3", type, external: true },
      ),
    );
    expect(objects).toMatchObject([
      {
        address: chained,
        name: "a::b",
        path: ["site"],
        provider: { name: "aws", alias: "west" },
        protected: true,
        dependencies: [urn("t", "other")],
      },
      { status: "old", provider: { name: "aws" } },
    ]);
    expect(objects[0]?.attribute("id")).toEqual({ is: "value", text: "assets" });
    expect(objects[0]?.attribute("zone_id")).toEqual({ is: "value", text: "Z1" });
    expect(objects[0]?.attribute("password")).toEqual({ is: "encrypted" });
    expect(skipped.map(({ address }) => address)).toEqual([component, urn(type, "read")]);
    expect(notes.join()).toContain("2 values are encrypted by Pulumi and cannot be read");
    expect(notes.join()).not.toContain("v1:abc");
  });

  test("names the calls that Pulumi did not finish", () => {
    const value = {
      version: 3,
      deployment: { resources: [], pending_operations: [{ type: "creating", resource: { urn: urn(type, "x") } }] },
    };
    expect(readForeignState("x", value).notes.join()).toContain(`creating ${urn(type, "x")}`);
  });

  test("with a parent that leads to itself ends", () => {
    const own = urn(type, "a");
    const { objects } = readForeignState("x", pulumi({ urn: own, parent: own, custom: true, id: "1", type }));
    expect(objects[0]?.path).toEqual([]);
  });

  test.each([
    [{ urn: 1 }, "/deployment/resources/0/urn is a number"],
    [{ urn: "u", type: "t", custom: true, outputs: [] }, "/deployment/resources/0/outputs is a list"],
  ])("is refused with the place of what cannot be read: %#", (resource, message) => {
    expect(refusal(pulumi(resource)).message).toContain(message);
  });
});

test.each([
  [[], "is no state"],
  ["text", "is no state"],
  [{}, "neither a state of Terraform, nor an export of Pulumi"],
  [{ version: 3, modules: [] }, "its version of Terraform's format is 3, expected 4"],
  [{ version: 5, lineage: "x", resources: [] }, "its version of Terraform's format is 5, expected 4"],
  [{ lineage: "x", resources: [] }, "is null, expected 4"],
  [{ version: 4, deployment: {} }, "its version of Pulumi's format is 4, expected 3"],
  [{ format_version: "1.0", values: {} }, "terraform show -json"],
  [{ encrypted_data: "x", meta: {} }, "OpenTofu has encrypted"],
  [{ version: 4, lineage: "x", resources: {} }, "/resources is an object, expected a list"],
])("what is no state of a known version is refused by name: %#", (value, message) => {
  const error = refusal(value);
  expect(error.code).toBe("IMPORT_INVALID");
  expect(error.message).toContain("x.json");
  expect(error.message).toContain(message);
  expect(error.hint).toContain("nothing was imported");
});
