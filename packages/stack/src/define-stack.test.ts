// oxlint-disable typescript/restrict-template-expressions -- references in template literals are what they are for
import { describe, expect, test } from "vitest";
import { defineStack, env, expr, literal, variable, type StackGroup } from "./index.ts";

async function modulesOf(declare: (stack: StackGroup) => void, environment?: string): Promise<unknown> {
  const { document } = await defineStack({}, declare).build(environment);
  return document.modules;
}

test("a program gives the document of a stack file", async () => {
  const program = defineStack({ name: "shop", onFailure: "compensate", variables: { tag: {} } }, (stack) => {
    const cloud = stack.provider("cloud", "aws", { region: "eu-west-1" });
    const db = stack.resource("infra.database", "db", { size: "s" }, { provider: cloud, protected: true });
    stack.resource(
      "infra.container_service",
      "api",
      {
        image: `registry/api:${variable("tag")}`,
        env_vars: { DB: `pg://${db.outputs["host"]}:${db.outputs["port"]}` },
      },
      { dependsOn: [db], lifecycle: { ignoreChanges: ["image"], retain: true }, timeouts: { create: "45m" } },
    );
    stack.output("db", db.id, { sensitive: true });
  });
  const { document, places } = await program.build(undefined);
  expect(document).toEqual({
    name: "shop",
    on_failure: "compensate",
    variables: { tag: {} },
    modules: [
      { name: "cloud", type: "iac.provider", config: { provider: "aws", region: "eu-west-1" } },
      { name: "db", type: "infra.database", protected: true, config: { iac_provider: "cloud", size: "s" } },
      {
        name: "api",
        type: "infra.container_service",
        dependsOn: ["db"],
        lifecycle: { ignore_changes: ["image"], retain: true },
        timeouts: { create: "45m" },
        config: { image: "registry/api:${var.tag}", env_vars: { DB: "pg://${db.host}:${db.port}" } },
      },
    ],
    outputs: { db: { value: "${db.id}", sensitive: true } },
  });
  expect(places.map((place) => place?.file.endsWith("define-stack.test.ts"))).toEqual([true, true, true]);
});

test("loops, conditions and groups are plain TypeScript, and addresses are nested", async () => {
  const service = (group: StackGroup, replicas: number) => {
    const db = group.resource("infra.database", "db");
    for (let index = 0; index < replicas; index += 1) {
      group.resource("infra.container_service", `api-${index}`, { db: db.id });
    }
    return { db };
  };
  const modules = await modulesOf((stack) => {
    const { db } = stack.group("web", (group) => service(group, stack.environment === "prod" ? 2 : 1));
    stack.resource("infra.dns", "names", { target: db.outputs["host"] });
  }, "prod");
  expect(modules).toEqual([
    { name: "web.db", type: "infra.database" },
    { name: "web.api-0", type: "infra.container_service", config: { db: "${web.db.id}" } },
    { name: "web.api-1", type: "infra.container_service", config: { db: "${web.db.id}" } },
    { name: "names", type: "infra.dns", config: { target: "${web.db.host}" } },
  ]);
});

describe("references", () => {
  test("to parts and expressions over them compose", async () => {
    const modules = await modulesOf((stack) => {
      const db = stack.resource("infra.database", "orders-db");
      const outputs = db.outputs as { [key: string]: { [key: string]: unknown } };
      stack.resource("infra.x", "x", {
        part: (outputs["replicas"] as never)[0]["host"],
        dotted: outputs["tls.mode"],
        sum: expr<number>`${outputs["port"]} + ${1}`,
        nested: expr`size(${expr`${outputs["list"]}.filter(x, x > ${2})`})`,
        token: env("TOKEN"),
        plain: literal("${not a reference}"),
      });
    });
    expect((modules as { config: unknown }[])[1]?.config).toEqual({
      part: '${{ resource["orders-db"].replicas[0].host }}',
      dotted: '${{ resource["orders-db"]["tls.mode"] }}',
      sum: '${{ resource["orders-db"].port + 1 }}',
      nested: '${{ size((resource["orders-db"].list.filter(x, x > 2))) }}',
      token: "${TOKEN}",
      plain: "$${not a reference}",
    });
  });

  test("are no promises", async () => {
    await modulesOf((stack) => {
      const db = stack.resource("infra.database", "db");
      expect((db.outputs["host"] as unknown as { then?: unknown }).then).toBeUndefined();
    });
  });
});

test.each<[string, unknown]>([
  ["a function", () => 1],
  ["an object of a class", new Date(0)],
  ["NaN", NaN],
  ["a promise", Promise.resolve(1)],
])("%s is no plain data", async (what, value) => {
  const program = defineStack({}, (stack) => {
    stack.resource("infra.x", "x", { deep: [value] });
  });
  await expect(program.build(undefined)).rejects.toThrow(`The value at modules.0.config.deep.0 is ${what}`);
});

test("an output that is there twice is refused", async () => {
  const program = defineStack({}, (stack) => {
    stack.output("a", "1");
    stack.output("a", "2");
  });
  await expect(program.build(undefined)).rejects.toThrow('The output "a" is declared twice');
});
