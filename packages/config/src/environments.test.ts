/* oxlint-disable no-template-curly-in-string -- texts of stack files */
import { describe, expect, test } from "vitest";
import type { DesiredResource } from "@wfctl/model";
import { lineOf, loadGood, loadText } from "./testing/load-text.ts";

const provider = "modules:\n  - {name: p, type: iac.provider, config: {provider: local}}\n";
const diagnose = async (text: string, environment?: string): Promise<string[]> =>
  (await loadText(text, environment === undefined ? {} : { environment })).diagnostics.map(lineOf);
const resource = async (text: string, environment: string, name: string): Promise<DesiredResource | undefined> =>
  (await loadGood(text, { environment })).resources.find((candidate) => candidate.name === name);

describe("the choice of an environment", () => {
  const two = `environments: {staging: , prod: {}}\n${provider}`;

  test("is required where environments are declared", async () => {
    expect(await diagnose(two)).toEqual([
      'ENVIRONMENT_UNKNOWN infra.yaml:1:1 #/environments: No environment is chosen, the configuration declares "staging" and "prod" (Choose one with -e, such as -e staging)',
    ]);
  });

  test("is required where only a module declares some", async () => {
    expect(await diagnose(`${provider}  - name: a\n    type: infra.vpc\n    environments: {qa: null}\n`)).toEqual([
      'ENVIRONMENT_UNKNOWN infra.yaml:5:5 a#/environments: No environment is chosen, the configuration declares "qa" (Choose one with -e, such as -e qa)',
    ]);
  });

  test("of an unknown one is an error with a suggestion", async () => {
    expect(await diagnose(two, "prd")).toEqual([
      'ENVIRONMENT_UNKNOWN infra.yaml:1:1 #/environments: The environment "prd" is not known, the configuration declares "staging" and "prod" (Did you mean "prod"?)',
    ]);
  });

  test("where none are declared is an error, unless it is the default one", async () => {
    expect(await diagnose(provider, "prod")).toEqual([
      'ENVIRONMENT_UNKNOWN infra.yaml:1:1: The environment "prod" is not known: the configuration declares none (Declare it with environments: {prod: {}}, or leave -e out)',
    ]);
    expect((await loadGood(provider, { environment: "default" })).environment).toBe("default");
    expect((await loadGood(provider)).environment).toBe("default");
  });

  test("that failed does not hide other errors, and names none that depend on it", async () => {
    expect(
      await diagnose(`environments: {prod: {provider: p}}\nmodules:\n  - {name: a, type: infra.vpc, confg: 1}\n`),
    ).toEqual([
      'ENVIRONMENT_UNKNOWN infra.yaml:1:1 #/environments: No environment is chosen, the configuration declares "prod" (Choose one with -e, such as -e prod)',
      'CONFIG_INVALID infra.yaml:3:32 a#/confg: The key "confg" is not known in a module (Did you mean "config"?)',
    ]);
  });
});

describe("what an environment changes", () => {
  const text = `environments:
  prod: {region: r, provider: q, envVars: {A: env, B: 2, C: true, D: "\${p1.id}"}}
  dev: {}
modules:
  - {name: p, type: iac.provider, config: {provider: local}}
  - {name: q, type: iac.provider, config: {provider: local, region: base}, environments: {prod: {config: {region: own}}}}
  - name: web
    type: infra.container_service
    config: {keep: 1, list: [1, 2], tree: {a: 1, b: {c: 2}}, ref: "\${p1.id}", env_vars: {A: own}}
    environments:
      prod:
        provider: p
        config: {list: [3], tree: {b: {d: 4}}, ref: {now: mapping}, new: null}
      dev: {config: {protected: true, size: xs}, provider: p}
  - {name: p1, type: infra.vpc, protected: true, config: {region: fixed, iac_provider: p, size: s}, environments: {prod: {provider: q}}}
  - {name: p2, type: infra.vpc, environments: {dev: {config: {provider: q}}}}
`;

  test("maps are merged deeply; lists, scalars and references are replaced", async () => {
    const web = await resource(text, "prod", "web");
    expect(web?.config).toMatchObject({
      keep: 1,
      list: [3],
      tree: { a: 1, b: { c: 2, d: 4 } },
      ref: { now: "mapping" },
      new: null,
    });
    expect((await resource(text, "dev", "web"))?.config).toMatchObject({
      list: [1, 2],
      ref: { $expr: [{ resource: "p1", path: "id" }] },
    });
  });

  test("its provider overrides the module's, but not iac_provider", async () => {
    expect(await resource(text, "prod", "web")).toMatchObject({ provider: "p", config: { provider: "p" } });
    expect(await resource(text, "prod", "p1")).toMatchObject({
      provider: "p",
      config: { provider: "q", iac_provider: "p" },
    });
  });

  test("its defaults fill only what is missing", async () => {
    expect(await resource(text, "prod", "p2")).toMatchObject({ provider: "q", config: { provider: "q", region: "r" } });
    expect((await resource(text, "prod", "p1"))?.config).toMatchObject({ region: "fixed" });
    expect((await resource(text, "dev", "p1"))?.config).toEqual({
      region: "fixed",
      iac_provider: "p",
      size: "s",
      protected: true,
    });
  });

  test("its variables go into env_vars of container services, as text", async () => {
    expect((await resource(text, "prod", "web"))?.config["env_vars"]).toEqual({
      A: "own",
      B: "2",
      C: "true",
      D: { $expr: [{ resource: "p1", path: "id" }] },
    });
    expect((await resource(text, "prod", "p2"))?.config).not.toHaveProperty("env_vars");
  });

  test("protection and size can be set for one environment", async () => {
    expect(await resource(text, "dev", "web")).toMatchObject({ protected: true, size: "xs" });
    const prod = await resource(text, "prod", "web");
    expect(prod).toMatchObject({ protected: false });
    expect(prod).not.toHaveProperty("size");
  });

  test("protection of the module is not lifted by an environment", async () => {
    const lifted = `${provider}  - {name: a, type: infra.vpc, protected: true, environments: {dev: {config: {protected: false}}}}\n`;
    expect(await resource(lifted, "dev", "a")).toMatchObject({ protected: true, config: { protected: true } });
  });

  test("defaults of resources are not given to providers", async () => {
    const stack = await loadGood(text, { environment: "prod" });
    expect(stack.providers.map(({ config }) => config)).toEqual([
      { provider: "local" },
      { provider: "local", region: "own" },
    ]);
  });
});

describe("a resource that an environment renames", () => {
  const text = `${provider}  - name: db
    type: infra.database
    config: {depends_on: [net]}
    environments: {prod: {config: {name: db-prod}}}
  - {name: net, type: infra.vpc, environments: {prod: {config: {name: net-prod}}}}
  - {name: app, type: infra.vpc, dependsOn: [db], config: {base: "a \${db.id}", resolved: "\${RESOLVED}"}, environments: {prod: {config: {resolved: "\${db-prod.uri}"}}}}
`;

  test("is known by its base name and by its resolved name", async () => {
    const stack = await loadGood(text, { environment: "prod", env: { RESOLVED: "x" } });
    expect(stack.resources.map(({ name, dependsOn }) => [name, dependsOn])).toEqual([
      ["db-prod", ["net-prod"]],
      ["net-prod", []],
      ["app", ["db-prod"]],
    ]);
    expect(stack.resources[2]?.config).toEqual({
      base: { $expr: ["a ", { resource: "db-prod", path: "id" }] },
      resolved: { $expr: [{ resource: "db-prod", path: "uri" }] },
    });
    expect(stack.locate("db-prod")).toEqual({ file: "infra.yaml", line: 3, column: 5 });
  });

  test("keeps the name in its config", async () => {
    expect((await resource(text, "prod", "net-prod"))?.config).toEqual({ name: "net-prod" });
  });

  test("may not take a name that another one has", async () => {
    expect(
      await diagnose(
        `${provider}  - name: a\n    type: infra.vpc\n    environments: {prod: {config: {name: b}}}\n  - {name: b, type: infra.vpc}\n  - {name: c, type: infra.vpc, environments: {prod: {config: {name: p}}}}\n`,
        "prod",
      ),
    ).toEqual([
      'CONFIG_INVALID infra.yaml:5:42 a#/environments/prod/config/name: The name "b" is used twice in the environment "prod", also at infra.yaml:6:12 (Choose another config.name for this environment)',
      'CONFIG_INVALID infra.yaml:7:69 c#/environments/prod/config/name: The name "p" is used twice in the environment "prod", also at infra.yaml:2:12 (Choose another config.name for this environment)',
    ]);
  });

  test("may take the base name of one that is renamed away: the resolved name counts", async () => {
    const swapped = `${provider}  - {name: a, type: infra.vpc, environments: {prod: {config: {name: b}}}}\n  - {name: b, type: infra.dns, environments: {prod: {config: {name: c}}}}\n  - {name: d, type: infra.vpc, dependsOn: [b, a]}\n`;
    const stack = await loadGood(swapped, { environment: "prod" });
    expect(stack.resources.find(({ name }) => name === "d")?.dependsOn).toEqual(["b"]);
  });

  test("needs a name that can be used", async () => {
    expect(
      await diagnose(
        `${provider}  - {name: a, type: infra.vpc, environments: {prod: {config: {name: "\${X}"}}, dev: null}}\n`,
        "prod",
      ),
    ).toEqual([
      'CONFIG_INVALID infra.yaml:3:69 a#/environments/prod/config/name: The name of the resource in this environment is a reference, expected letters, digits, ".", "_" and "-", at most 128 (Write the name itself: state is kept under it)',
      'CONFIG_INVALID infra.yaml:3:70 a#/config/name: The environment variable "X" is not set (Set it, declare it under secrets.entries, or write $${X} for plain text)',
    ]);
  });

  test("a name in the base config is a value like any other", async () => {
    expect(
      (await loadGood(`${provider}  - {name: a, type: infra.spaces_key, config: {name: other}}\n`)).resources[0]?.name,
    ).toBe("a");
  });
});

describe("a resource that an environment leaves out", () => {
  const text = `${provider}  - {name: cache, type: infra.cache, environments: {dev: null}}\n  - {name: app, type: infra.vpc, dependsOn: [cache], config: {depends_on: [cache]}}\n`;

  test("is not waited for", async () => {
    expect((await resource(text, "dev", "app"))?.dependsOn).toEqual([]);
  });

  test("cannot be referred to", async () => {
    expect(await diagnose(`${text}  - {name: b, type: infra.vpc, config: {x: "\${cache.id}"}}\n`, "dev")).toEqual([
      'CONFIG_INVALID infra.yaml:5:45 b#/config/x: "${cache.id}" refers to "cache", which the environment "dev" leaves out (Keep "cache" in this environment, or override this value for it)',
    ]);
  });
});

describe("declarations of environments", () => {
  test("are checked at the top and on modules", async () => {
    expect(
      await diagnose(
        `environments:\n  prod: {regoin: x, region: 5, envVars: {A: [1]}}\n  "a b": {}\n  qa: 7\n${provider}  - name: a\n    type: infra.vpc\n    environments:\n      prod: {config: 5, confg: 1, provider: 2, size: s}\n      prdo: {}\n      qa: x\n`,
        "prod",
      ),
    ).toEqual([
      'CONFIG_INVALID infra.yaml:2:10 #/environments/prod/regoin: The key "regoin" is not known in an environment (Did you mean "region"?)',
      'CONFIG_INVALID infra.yaml:2:29 #/environments/prod/region: "region" is a number, expected text (Write region: "…")',
      'CONFIG_INVALID infra.yaml:2:45 #/environments/prod/envVars/A: The variable "A" is a list, expected text (Write A: "…")',
      'CONFIG_INVALID infra.yaml:3:3 #/environments/a b: The environment name "a b" cannot be used: expected letters, digits, ".", "_" and "-", at most 128 (State is kept under this name)',
      'CONFIG_INVALID infra.yaml:4:7 #/environments/qa: The environment "qa" is a number, expected a mapping (Write qa: {region: …})',
      'CONFIG_INVALID infra.yaml:10:22 a#/environments/prod/config: "config" is a number, expected a mapping (Write config: with keys below it)',
      'CONFIG_INVALID infra.yaml:10:25 a#/environments/prod/confg: The key "confg" is not known in an environment of a module (Did you mean "config"?)',
      'CONFIG_INVALID infra.yaml:10:45 a#/environments/prod/provider: "provider" is a number, expected text (Write provider: "…")',
      'CONFIG_INVALID infra.yaml:10:48 a#/environments/prod/size: The key "size" is not known in an environment of a module (Write it under config)',
      'warning CONFIG_INVALID infra.yaml:11:7 a#/environments/prdo: The environment "prdo" is not declared at the top (Did you mean "prod"?)',
      'CONFIG_INVALID infra.yaml:12:11 a#/environments/qa: The environment "qa" is text, expected a mapping or null (null leaves the module out of this environment)',
    ]);
  });

  test("of all environments are read: a text that cannot be read shows in each", async () => {
    const text = `environments: {prod: {envVars: {A: "\${"}}, dev: {}}\n${provider}  - {name: a, type: infra.vpc, environments: {prod: {config: {x: "\${.y}"}}}}\n`;
    expect(await diagnose(text, "dev")).toEqual([
      "CONFIG_INVALID infra.yaml:1:37 #/environments/prod/envVars/A: The reference is not closed, expected a } (Write $${ for a plain ${)",
      'CONFIG_INVALID infra.yaml:4:67 a#/environments/prod/config/x: The reference "${.y}" has no resource before its dot (Write ${resource.output})',
    ]);
  });

  test("that give a variable which is not set are told once", async () => {
    const text = `environments: {prod: {envVars: {A: $NOPE}}}\n${provider}  - {name: a, type: infra.container_service}\n  - {name: b, type: infra.container_service}\n`;
    expect(await diagnose(text, "prod")).toEqual([
      'CONFIG_INVALID infra.yaml:1:36 #/environments/prod/envVars/A: The environment variable "NOPE" is not set (Set it, declare it under secrets.entries, or write $${NOPE} for plain text)',
    ]);
  });
});
