import type { Json } from "@wfctl/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readForeignState } from "../foreign/read-foreign-state.ts";
import { listMappings } from "./mappings.ts";
import { matchObjects, type Match, type MatchOptions } from "./match-objects.ts";
import { nameObjects } from "./name-objects.ts";

const provider = 'provider["registry.terraform.io/hashicorp/aws"]';
const resource = (type: string, name: string, attributes: object, more: object = {}) => ({
  mode: "managed",
  type,
  name,
  provider,
  instances: [{ attributes }],
  ...more,
});
const stateOf = (...resources: readonly object[]) =>
  readForeignState("x", { version: 4, lineage: "l", resources } as unknown as Json);
const options: MatchOptions = {
  modules: [{ name: "cloud", provider: "aws" }],
  chosen: new Map(),
  recorded: [],
  reserved: new Set(),
  wanted: [],
};
const only = (matches: readonly Match[]): Match => {
  expect(matches).toHaveLength(1);
  return matches[0]!;
};
const matchOne = (object: object, more: Partial<MatchOptions> = {}): Match =>
  only(matchObjects(stateOf(object), { ...options, ...more }));

describe("the id that the provider reads by", () => {
  const arn = "arn:aws:rds:eu-west-1:123456789012:db:main";
  test.each([
    ["aws_vpc", { id: "vpc-1", arn: "arn:aws:ec2:eu-west-1:1:vpc/vpc-1" }, "infra.vpc", "vpc-1@eu-west-1"],
    ["aws_security_group", { id: "sg-1" }, "infra.firewall", "sg-1"],
    ["aws_db_instance", { id: "db-ABC", arn }, "infra.database", arn],
    ["aws_s3_bucket", { id: "b", bucket: "b", arn: "arn:aws:s3:::b" }, "infra.storage", "b"],
    ["aws_route53_zone", { id: "Z1", zone_id: "Z1" }, "infra.dns", "/hostedzone/Z1"],
    [
      "aws_ecs_service",
      { id: "arn:aws:ecs:eu-west-1:1:service/c/s" },
      "infra.container_service",
      "arn:aws:ecs:eu-west-1:1:service/c/s",
    ],
    [
      "aws_apigatewayv2_api",
      { id: "a1", arn: "arn:aws:apigateway:us-east-1::/apis/a1" },
      "infra.api_gateway",
      "a1@us-east-1",
    ],
    [
      "aws_appautoscaling_target",
      { service_namespace: "ecs", resource_id: "service/c/s", scalable_dimension: "ecs:service:DesiredCount" },
      "infra.autoscaling_group",
      "ecs|service/c/s|ecs:service:DesiredCount",
    ],
    [
      "aws_elasticache_replication_group",
      { id: "r", arn: "arn:aws:elasticache:eu-west-1:1:replicationgroup:r" },
      "infra.cache",
      "r@eu-west-1",
    ],
  ])("of %s", (foreign, attributes, type, id) => {
    expect(matchOne(resource(foreign, "main", attributes))).toMatchObject({ will: "import", type, id, name: "main" });
  });

  test("of a DigitalOcean database depends on its engine", () => {
    const digitalocean = { ...options, modules: [{ name: "do", provider: "digitalocean" }] };
    const database = (engine: string): Match =>
      matchOne(
        resource(
          "digitalocean_database_cluster",
          "db",
          { id: "u", engine },
          { provider: 'provider["registry.terraform.io/digitalocean/digitalocean"]' },
        ),
        digitalocean,
      );
    expect(database("pg")).toMatchObject({ type: "infra.database", module: "do" });
    expect(database("valkey")).toMatchObject({ type: "infra.cache" });
    expect(database("redis")).toMatchObject({ will: "miss", why: "managed Redis has ended at DigitalOcean" });
  });

  test("that is encrypted or missing is said so, with what to write", () => {
    const type = "aws:rds/instance:Instance";
    const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "c" };
    const urn = `urn:pulumi:dev::shop::${type}::db`;
    const sealed = readForeignState("x", {
      version: 3,
      deployment: { resources: [{ urn, type, custom: true, id: "db-1", outputs: { arn: secret } }] },
    });
    expect(only(matchObjects(sealed, options))).toMatchObject({
      will: "miss",
      why: "its arn is encrypted and cannot be read, so its id is not known",
      hint: "Look its id up, and write: wfctl import NAME ID",
    });
    expect(matchOne(resource("aws_db_instance", "db", {}))).toMatchObject({
      will: "miss",
      why: "its id is not known: arn is missing",
    });
  });
});

describe("what is not imported", () => {
  test("parts come with the resource that they belong to", () => {
    expect(matchOne(resource("aws_subnet", "a", { id: "subnet-1" }))).toMatchObject({
      will: "skip",
      why: expect.stringContaining("a part of an infra.vpc") as string,
    });
  });

  test("unknown types and deposed objects are listed with the reason", () => {
    expect(matchOne(resource("acme_thing", "a", { id: "1" }))).toMatchObject({ will: "miss" });
    expect(
      matchOne({ ...resource("aws_vpc", "a", {}), instances: [{ deposed: "x", attributes: { id: "vpc-1" } }] }),
    ).toMatchObject({ will: "miss", why: expect.stringContaining("replaced already") as string });
  });

  test("what is recorded stays as it is, also under an id of the provider's own region", () => {
    const record = { name: "net", type: "infra.vpc", provider: "cloud", providerId: "vpc-1" };
    const vpc = resource("aws_vpc", "main", { id: "vpc-1", arn: "arn:aws:ec2:eu-west-1:1:vpc/vpc-1" });
    const at = (region: string): Partial<MatchOptions> => ({
      recorded: [{ ...record, providerIdentity: `aws:aws:123456789012:${region}:` }],
    });
    expect(matchOne(vpc, at("eu-west-1"))).toMatchObject({ will: "stay", name: "net" });
    expect(matchOne(vpc, at("us-east-1"))).toMatchObject({ will: "import" });
  });

  test("an object that is there twice is imported once", () => {
    const matches = matchObjects(
      stateOf(resource("aws_s3_bucket", "a", { bucket: "b" }), resource("aws_s3_bucket", "c", { bucket: "b" })),
      options,
    );
    expect(matches).toMatchObject([
      { will: "import" },
      { will: "skip", why: "it is the same object as aws_s3_bucket.a" },
    ]);
  });
});

describe("the provider module", () => {
  const west = resource("aws_s3_bucket", "a", { bucket: "b" }, { provider: `${provider}.west` });
  const two = [
    { name: "east", provider: "aws" },
    { name: "west", provider: "aws" },
  ];
  test("is the only one, the one of the alias's name, or the chosen one", () => {
    expect(matchOne(west, { modules: two })).toMatchObject({ module: "west" });
    expect(matchOne(west, { modules: two, chosen: new Map([["aws.west", "east"]]) })).toMatchObject({ module: "east" });
    expect(matchOne(west, { chosen: new Map([["aws", "cloud"]]) })).toMatchObject({ module: "cloud" });
  });

  test("that is not clear, not there or of another provider has to be said", () => {
    expect(matchOne(west)).toMatchObject({ will: "miss", hint: "Say it with: --provider aws.west=cloud" });
    expect(matchOne(west, { modules: [] })).toMatchObject({
      will: "miss",
      why: "the stack file has no module of provider aws",
    });
    expect(matchOne(west, { chosen: new Map([["aws.west", "nowhere"]]) })).toMatchObject({
      will: "miss",
      hint: "Correct --provider aws.west=nowhere",
    });
  });
});

describe("names", () => {
  const bucket = (name: string, id: string, more: object = {}) => resource("aws_s3_bucket", name, { bucket: id }, more);
  const namesOf = (resources: readonly object[], more: Partial<MatchOptions> = {}): Record<string, string> =>
    Object.fromEntries(
      matchObjects(stateOf(...resources), { ...options, ...more }).flatMap((match) =>
        match.will === "import" ? [[match.address, match.name]] : [],
      ),
    );

  test("grow by what tells them apart, and by nothing else", () => {
    expect(
      namesOf([
        bucket("main", "1"),
        bucket("main", "2", { module: "module.a" }),
        resource("aws_vpc", "main", { id: "vpc-1" }, { module: "module.a" }),
        bucket("other", "3", { module: "module.a" }),
        { ...bucket("many", "4"), instances: [{ index_key: "x/y", attributes: { bucket: "4" } }] },
      ]),
    ).toEqual({
      "aws_s3_bucket.main": "main",
      "module.a.aws_s3_bucket.main": "a-main-aws_s3_bucket",
      "module.a.aws_vpc.main": "a-main-aws_vpc",
      "module.a.aws_s3_bucket.other": "other",
      'aws_s3_bucket.many["x/y"]': "many-x-y",
    });
  });

  test("that are recorded, in doubt, or wanted for another type are not used", () => {
    const one = [bucket("main", "1", { module: "module.a" })];
    const record = { name: "main", type: "infra.vpc", provider: "cloud", providerId: "vpc-9" };
    expect(Object.values(namesOf(one, { recorded: [record] }))).toEqual(["a-main"]);
    expect(Object.values(namesOf(one, { reserved: new Set(["main"]) }))).toEqual(["a-main"]);
    const wants = (type: string) => ({ wanted: [{ name: "main", type, provider: "cloud" }] });
    expect(Object.values(namesOf(one, wants("infra.vpc")))).toEqual(["a-main"]);
    expect(Object.values(namesOf(one, wants("infra.storage")))).toEqual(["main"]);
  });

  test("are valid, different from each other, and the same in any order", () => {
    const part = fc.oneof(fc.constantFrom("a", "b", "a-b", "", "ä", "x".repeat(200)), fc.string({ maxLength: 8 }));
    const object = fc.record({
      name: part,
      path: fc.array(part, { maxLength: 2 }),
      key: part,
      type: fc.constantFrom("t_a", "t_b"),
    });
    fc.assert(
      fc.property(fc.array(object, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 12 }), (drawn, order) => {
        const objects = drawn.map((each, index) => ({
          ...each,
          address: `${index}`,
          provider: { name: "aws" },
          status: "current" as const,
          protected: false,
          retain: false,
          dependencies: [],
          attribute: () => ({ is: "missing" }) as const,
        }));
        const isTaken = (name: string): boolean => name === "a";
        const names = nameObjects(objects, isTaken);
        const all = [...names.values()];
        expect(new Set(all).size).toBe(objects.length);
        for (const name of all) expect(name).toMatch(/^(?!a$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/);
        const shuffled = objects.toSorted((a, b) => (order[Number(a.address)] ?? 0) - (order[Number(b.address)] ?? 0));
        expect(nameObjects(shuffled, isTaken)).toEqual(names);
      }),
    );
  });
});

test("no foreign type stands for two things", () => {
  const all = listMappings().map(({ foreign }) => foreign);
  expect(all.length).toBeGreaterThan(100);
  expect(all.filter((foreign, index) => all.indexOf(foreign) !== index)).toEqual([]);
});
