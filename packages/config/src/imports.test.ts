import { describe, expect, test } from "vitest";
import { lineOf, loadGood, loadText } from "./testing/load-text.ts";

const diagnose = async (files: Record<string, string>): Promise<string[]> =>
  (await loadText(files)).diagnostics.map(lineOf);
const provider = "  - {name: p, type: iac.provider, config: {provider: local}}\n";

describe("imports", () => {
  test("are relative to the file that imports them", async () => {
    const stack = await loadGood({
      "infra.yaml": "imports: [parts/a.yaml]\n",
      "parts/a.yaml": `imports: [more/b.yaml, ../c.yaml]\nmodules:\n${provider}`,
      "parts/more/b.yaml": "modules:\n  - {name: b, type: infra.vpc}\n",
      "c.yaml": "modules:\n  - {name: c, type: infra.vpc}\n",
    });
    expect(stack.files).toEqual([
      "/stack/infra.yaml",
      "/stack/parts/a.yaml",
      "/stack/parts/more/b.yaml",
      "/stack/c.yaml",
    ]);
    expect(stack.resources.map(({ name, source }) => [name, source?.file, source?.line])).toEqual([
      ["b", "parts/more/b.yaml", 2],
      ["c", "c.yaml", 2],
    ]);
  });

  test("are overridden by the file that imports them, without a word", async () => {
    const stack = await loadGood(
      {
        "infra.yaml": `name: main\nimports: [a.yaml]\nenvironments: {prod: {region: main}}\nmodules:\n${provider}  - {name: x, type: infra.vpc, config: {from: main}}\noutputs: {o: main}\nsecrets: {provider: env, generate: [{key: K, type: random_hex, store: s}], entries: [{name: E, store: main}]}\nsecretStores: {s: {provider: env}, main: {provider: env}}\n`,
        "a.yaml":
          "name: other\non_failure: stop\ninfra: {auto_bootstrap: false}\nenvironments: {prod: {region: a}, dev: {}}\nmodules:\n  - {name: x, type: infra.dns}\n  - {name: y, type: infra.vpc}\noutputs: {o: a, p: a}\nsecrets: {provider: vault, defaultStore: t, generate: [{key: K, type: random_base64}, {key: L, type: random_base64}], entries: [{name: E, store: a}]}\nsecretStores: {s: {provider: vault}, t: {provider: vault}}\n",
      },
      { environment: "prod" },
    );
    expect(stack.name).toBe("main");
    expect(stack.onFailure).toBeUndefined();
    expect(stack.autoBootstrap).toBe(true);
    expect(stack.environments).toEqual(["prod", "dev"]);
    expect(
      stack.resources.filter(({ provider }) => provider === "p").map(({ name, type, config }) => [name, type, config]),
    ).toEqual([
      ["x", "infra.vpc", { from: "main", region: "main" }],
      ["y", "infra.vpc", { region: "main" }],
    ]);
    expect(stack.outputs).toEqual({ o: { value: "main", sensitive: false }, p: { value: "a", sensitive: false } });
    expect(stack.secrets).toEqual({
      settings: {
        provider: "env",
        defaultStore: "t",
        generate: [
          { key: "K", type: "random_hex", store: "s" },
          { key: "L", type: "random_base64" },
        ],
        entries: [{ name: "E", store: "main" }],
      },
      stores: { s: { provider: "env" }, main: { provider: "env" }, t: { provider: "vault" } },
      declared: ["E", "K", "L"],
    });
  });

  test("that neither import the other and share a module: the earlier wins, with a warning", async () => {
    const files = {
      "infra.yaml": `imports: [a.yaml, b.yaml]\nmodules:\n${provider}`,
      "a.yaml": "modules:\n  - {name: x, type: infra.vpc}\n",
      "b.yaml": "modules:\n  - {name: x, type: infra.dns}\n",
    };
    expect(await diagnose(files)).toEqual([
      'warning CONFIG_INVALID b.yaml:2:12 x#/name: The module "x" is passed over: the one at a.yaml:2:12 was imported earlier (Remove one of the two, or override it in a file that imports both)',
    ]);
    expect((await loadGood(files)).resources.map((resource) => resource.type)).toEqual(["infra.vpc"]);
  });

  test("in a circle are refused with the chain", async () => {
    expect(
      await diagnose({
        "infra.yaml": "imports:\n  - a.yaml\nmodules: []\n",
        "a.yaml": "imports: [b.yaml]\n",
        "b.yaml": "x-y: 1\nimports:\n  - infra.yaml\n",
      }),
    ).toEqual([
      "CONFIG_INVALID b.yaml:3:5 #/imports/0: The imports form a circle: infra.yaml -> a.yaml -> b.yaml -> infra.yaml (Remove one of these imports)",
    ]);
  });

  test("of the file itself are a circle", async () => {
    expect(await diagnose({ "infra.yaml": "imports: [infra.yaml]\nmodules: []\n" })).toEqual([
      "CONFIG_INVALID infra.yaml:1:11 #/imports/0: The imports form a circle: infra.yaml -> infra.yaml (Remove one of these imports)",
    ]);
  });

  test("that are missing or no paths are told, and no name is called unknown for it", async () => {
    expect(
      await diagnose({
        "infra.yaml":
          "imports: [nope.yaml, 5, '']\nmodules:\n  - {name: a, type: infra.vpc, config: {x: '${net.id}'}}\n",
      }),
    ).toEqual([
      'CONFIG_NOT_FOUND infra.yaml:1:11 #/imports/0: The imported file "nope.yaml" does not exist (Looked for "/stack/nope.yaml": imports are relative to the importing file)',
      "CONFIG_INVALID infra.yaml:1:22 #/imports/1: An import is a number, expected a path (Write the path relative to this file)",
      "CONFIG_INVALID infra.yaml:1:25 #/imports/2: An import is empty, expected a path (Write the path relative to this file)",
    ]);
  });

  test("with errors are told together with those of the main file, main file first", async () => {
    expect(
      await diagnose({
        "infra.yaml": "imports: [a.yaml]\nmodules:\n  - {name: a, type: infra.vpc, confg: {}}\n",
        "a.yaml": "modules: [\n",
      }),
    ).toEqual([
      'CONFIG_INVALID infra.yaml:3:32 a#/confg: The key "confg" is not known in a module (Did you mean "config"?)',
      expect.stringMatching(/^CONFIG_INVALID a\.yaml:2:1: Cannot read the YAML: /),
    ]);
  });
});
