import { describe, expect, test } from "vitest";

import { parseManifest } from "./manifest.ts";

const good = {
  name: "workflow-plugin-example",
  version: "v2.1.0",
  author: "Example Team",
  description: "Example resources",
  minEngineVersion: "0.85.0",
  iacProvider: { computePlanVersion: "v2" },
  dependencies: [{ name: "other", constraint: "^1.0.0" }],
  capabilities: { moduleTypes: ["iac.provider"], iacProvider: { name: "example", resourceTypes: ["infra.vpc"] } },
};

describe("a manifest", () => {
  test("is read", () => {
    const { manifest, violations } = parseManifest(JSON.stringify(good));
    expect(violations).toEqual([]);
    expect(manifest).toEqual({
      name: "workflow-plugin-example",
      version: "2.1.0",
      author: "Example Team",
      description: "Example resources",
      providerName: "example",
      resourceTypes: ["infra.vpc"],
      computePlanVersion: "v2",
      minEngineVersion: "0.85.0",
      services: [],
      permissions: {},
    });
  });

  test("has keys of any case, the last of several spellings counts", () => {
    const { manifest } = parseManifest(`{
      "NAME": "first", "Name": "second", "vErSiOn": "1.0.0", "version": "1.0.1", "AUTHOR": "a", "description": "d",
      "IACProvider": { "ComputePlanVersion": "v2" },
      "Capabilities": { "IaCProvider": { "NAME": "example" } }
    }`);
    expect(manifest).toMatchObject({
      name: "second",
      version: "1.0.1",
      computePlanVersion: "v2",
      providerName: "example",
    });
  });

  test("has null where it has nothing", () => {
    const { manifest, violations } = parseManifest(
      JSON.stringify({ ...good, capabilities: null, iacProvider: null, tags: null }),
    );
    expect(violations).toEqual([]);
    expect(manifest).toMatchObject({ providerName: undefined, computePlanVersion: "" });
  });

  test("lists its services in either place, and the permissions of its types", () => {
    const { capabilities } = good;
    const permissions = { "infra.vpc": ["ec2:CreateVpc"] };
    const top = parseManifest(JSON.stringify({ ...good, permissions, iacServices: ["a.B"] }));
    expect(top.manifest).toMatchObject({ services: ["a.B"], permissions });
    const nested = parseManifest(JSON.stringify({ ...good, capabilities: { ...capabilities, iacServices: ["a.B"] } }));
    expect(nested.manifest).toMatchObject({ services: ["a.B"], permissions: {} });
  });

  test("may list capabilities, and then names no provider", () => {
    const { manifest } = parseManifest(JSON.stringify({ ...good, capabilities: [{ name: "dns", role: "provider" }] }));
    expect(manifest).toMatchObject({ providerName: undefined });
  });

  test("keeps keys that nobody knows", () => {
    expect(parseManifest(JSON.stringify({ ...good, invented: { deep: [1] } })).violations).toEqual([]);
  });

  test("is refused with every violation, each with its path in the file's own spelling", () => {
    const { manifest, violations, providerName } = parseManifest(
      JSON.stringify({
        Name: "Upper_Case",
        version: "1.0",
        description: "",
        minEngineVersion: "latest",
        tags: ["a", 1],
        dependencies: [{ name: "other", minVersion: "1.0.0" }, { constraint: "=>1" }],
        iacProvider: { computePlanVersion: 2 },
        permissions: { "infra.vpc": "everything" },
        Capabilities: { stepTypes: "none", iacProvider: { name: "example", resourceTypes: [true] } },
      }),
    );
    expect(manifest).toBeUndefined();
    expect(providerName).toBe("example");
    expect(violations.map(({ path, found }) => [path, found])).toEqual([
      ["/Name", '"Upper_Case"'],
      ["/version", '"1.0"'],
      ["/author", "nothing"],
      ["/description", '""'],
      ["/minEngineVersion", '"latest"'],
      ["/tags/1", "1"],
      ["/iacProvider/computePlanVersion", "2"],
      ["/permissions/infra.vpc", '"everything"'],
      ["/dependencies/0/constraint", "nothing"],
      ["/dependencies/1/name", "nothing"],
      ["/dependencies/1/constraint", '"=>1"'],
      ["/Capabilities/stepTypes", '"none"'],
      ["/Capabilities/iacProvider/resourceTypes/0", "true"],
    ]);
    for (const violation of violations) expect(violation.expected).not.toBe("");
  });

  test.each([
    ["capabilities of a number", { ...good, capabilities: 7 }, "/capabilities", "an object or a list"],
    [
      "a role that is none",
      { ...good, capabilities: [{ name: "a", role: "boss" }] },
      "/capabilities/0/role",
      '"provider" or "consumer"',
    ],
  ])("is refused with %s", (_, json, path, expected) => {
    expect(parseManifest(JSON.stringify(json)).violations).toMatchObject([{ path, expected }]);
  });

  test.each(["", "{", "[]", "null", '"text"', "{} trailing"])("is refused when the file is %j", (source) => {
    const { manifest, violations } = parseManifest(source);
    expect(manifest).toBeUndefined();
    expect(violations).toMatchObject([{ path: "", expected: "a JSON object" }]);
  });

  test("does not print long values whole", () => {
    const { violations } = parseManifest(JSON.stringify({ ...good, version: "9".repeat(500) }));
    expect(violations[0]?.found.length).toBeLessThan(100);
  });
});
