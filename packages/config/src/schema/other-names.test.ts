import { expect, test } from "vitest";
import { otherName } from "./other-names.ts";
import { validateAgainstSchema } from "./validate.ts";

test("a key that another cloud has is translated where one key of the type says the same", () => {
  expect(otherName("ip_range", ["cidr", "region"])).toBe("cidr");
  expect(otherName("version", ["engine", "engine_version"])).toBe("engine_version");
  expect(otherName("instance_class", ["engine", "size"])).toBe("size");
  expect(otherName("ip_range", ["cidr", "subnet_cidr"])).toBeUndefined();
  expect(otherName("ip_range", ["region"])).toBeUndefined();
  expect(otherName("flavour", ["cidr"])).toBeUndefined();
});

test("an unknown key of a resource gets a near word, else the other cloud's, else the list, each key once", () => {
  const schema = {
    type: "object",
    properties: {
      cidr: {},
      region: {},
      rule: { type: "object", properties: { ports: {} }, additionalProperties: false },
    },
    additionalProperties: false,
  };
  const hint = (config: object): string | undefined => validateAgainstSchema(config as never, schema)[0]?.hint;
  expect(hint({ cidrs: "x" })).toBe('Did you mean "cidr"?');
  expect(hint({ ip_range: "x" })).toBe('Other clouds call it "ip_range": here it is "cidr"');
  expect(hint({ flavour: "x" })).toMatch(/^Known are (?!.*\b(\w+)\b.*\b\1\b)/);
  expect(hint({ rule: { http_port: 1 } })).toBe('Known are "ports"');
});
