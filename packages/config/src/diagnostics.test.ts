/* oxlint-disable no-template-curly-in-string -- texts of stack files */
import { describe, expect, test } from "vitest";
import type { LoadStackOptions } from "./stack.ts";
import { lineOf, loadText } from "./testing/load-text.ts";

const provider = "modules:\n  - {name: p, type: iac.provider, config: {provider: local}}\n";

async function diagnose(
  files: string | Record<string, string>,
  options: Partial<LoadStackOptions> = {},
): Promise<string[]> {
  const { stack, diagnostics } = await loadText(files, options);
  const failed = diagnostics.some((diagnostic) => diagnostic.severity === "error");
  expect(stack === undefined).toBe(failed);
  for (const diagnostic of diagnostics) expect(diagnostic.hint ?? "").not.toBe("");
  return diagnostics.map(lineOf);
}

type Case = [string, string | Record<string, string>, string[], Partial<LoadStackOptions>?];

const table = (cases: Case[]): void => {
  test.each(cases)("%s", async (_, files, expected, options) => {
    expect(await diagnose(files, options)).toEqual(expected);
  });
};

describe("the top of the file", () => {
  table([
    [
      "an empty file",
      "",
      [
        "CONFIG_INVALID infra.yaml:1:1: The file is empty, expected a mapping with modules (Write modules: with a list)",
      ],
    ],
    [
      "a list",
      "- name: a\n",
      [
        "CONFIG_INVALID infra.yaml:1:1: The file holds a list at its top, expected a mapping (Put the list under modules:)",
      ],
    ],
    [
      "no modules",
      "name: x\n",
      [
        "CONFIG_INVALID infra.yaml:1:1: The configuration has no modules (Write modules: with a list; an empty list is a stack without resources)",
      ],
    ],
    [
      "an unknown key",
      "modules: []\nmodulse: []\n",
      [
        'CONFIG_INVALID infra.yaml:2:1 #/modulse: The key "modulse" is not known at the top of a stack file (Did you mean "modules"?)',
      ],
    ],
    [
      "wrong types",
      "name: 5\non_failure: stpo\ninfra: {auto_bootstrap: 1}\nimports: x\nmodules: {}\nmoved: 1\noutputs: []\nenvironments: [prod]\n",
      [
        'CONFIG_INVALID infra.yaml:1:7 #/name: "name" is a number, expected text (Write name: "…")',
        'CONFIG_INVALID infra.yaml:2:13 #/on_failure: "on_failure" is "stpo", expected "continue" or "stop" or "compensate" (Did you mean "stop"?)',
        'CONFIG_INVALID infra.yaml:3:25 #/infra/auto_bootstrap: "auto_bootstrap" is a number, expected true or false (Write true or false, without quotes)',
        'CONFIG_INVALID infra.yaml:4:10 #/imports: "imports" is text, expected a list of paths (Write imports: [network.yaml])',
        'CONFIG_INVALID infra.yaml:5:10 #/modules: "modules" is a mapping, expected a list (Write modules: with - name: … and type: … below it)',
        'CONFIG_INVALID infra.yaml:6:8 #/moved: "moved" is a number, expected a list (Write moved: [{from: old, to: new}])',
        'CONFIG_INVALID infra.yaml:7:10 #/outputs: "outputs" is a list, expected a mapping (Write outputs: with keys below it)',
        'CONFIG_INVALID infra.yaml:8:15 #/environments: "environments" is a list, expected a mapping (Write environments: with keys below it)',
      ],
    ],
    [
      "a name that cannot be used",
      "name: my stack\nmodules: []\n",
      [
        'CONFIG_INVALID infra.yaml:1:7 #/name: The stack name "my stack" cannot be used: expected letters, digits, ".", "_" and "-", at most 128 (State is kept under this name)',
      ],
    ],
    [
      "a key twice",
      "modules: []\nmodules: []\n",
      [
        'CONFIG_INVALID infra.yaml:2:1 #/modules: The key "modules" is there twice, first at infra.yaml:1:1 (Keep one of the two)',
      ],
    ],
    [
      "a tab",
      "modules:\n\t- name: x\n",
      ["CONFIG_INVALID infra.yaml:2:1: Cannot read the YAML: tabs are not allowed as indentation (Indent with spaces)"],
    ],
  ]);

  test("resources of an older system are warned of, as nobody makes them", async () => {
    expect(await diagnose("infrastructure: {resources: [{name: a, type: database}]}\nmodules: []\n")).toEqual([
      expect.stringContaining("The resources under infrastructure belong to an older system that is not read here"),
    ]);
  });

  test("keys of applications and keys that begin with x- are passed over", async () => {
    expect(
      await diagnose(
        "ci: 1\nservices: 1\nmesh: 1\nnetworking: 1\nsecurity: 1\nsidecars: 1\nrequires: 1\nplugins: 1\nvars: 1\nvariables: [1]\nworkflows: 1\ntriggers: 1\npipelines: 1\nplatform: 1\ninfrastructure: 1\nx-mine: 1\nmodules: []\n",
      ),
    ).toEqual([]);
  });
});

describe("modules", () => {
  table([
    [
      "no name, no type, no mapping",
      "modules:\n  - type: infra.vpc\n  - name: a\n  - 5\n  - {name: [], type: 3}\n",
      [
        "CONFIG_INVALID infra.yaml:2:5 #/modules/0: The module has no name (Give it a name of its own: it is its key in the state)",
        'CONFIG_INVALID infra.yaml:3:5 a#: The module "a" has no type (Write type: infra.<kind>, such as infra.database)',
        "CONFIG_INVALID infra.yaml:4:5 #/modules/2: A module is a number, expected a mapping with name and type (Write - name: … and type: …)",
        'CONFIG_INVALID infra.yaml:5:12 #/modules/3/name: "name" is a list, expected text (Write name: "…")',
        'CONFIG_INVALID infra.yaml:5:22 #/modules/3/type: "type" is a number, expected text (Write type: "…")',
      ],
    ],
    [
      "a name that cannot be used",
      `${provider}  - {name: a/b, type: infra.vpc}\n`,
      [
        'CONFIG_INVALID infra.yaml:3:12 a/b#/name: The module name "a/b" cannot be used: expected letters, digits, ".", "_" and "-", at most 128 (State is kept under this name)',
      ],
    ],
    [
      "a name twice",
      `${provider}  - name: net\n    type: infra.vpc\n  - type: infra.dns\n    name: net\n`,
      [
        'CONFIG_INVALID infra.yaml:6:11 net#/name: The module name "net" is used twice, first at infra.yaml:3:11 (Rename one of the two)',
      ],
    ],
    [
      "types that are misspelt or of older systems",
      "modules:\n  - {name: a, type: platform.database}\n  - {name: b, type: infar.cache}\n  - {name: c, type: iac.provder}\n  - {name: d, type: infra.Database}\n  - {name: e, type: infra}\n  - {name: f, type: platform.mesh-thing}\n  - {name: g, type: Infra.vpc}\n",
      [
        'CONFIG_INVALID infra.yaml:2:21 a#/type: The module type "platform.database" belongs to an older system that is not read here (Write type: infra.database)',
        'CONFIG_INVALID infra.yaml:3:21 b#/type: The module type "infar.cache" is not known (Did you mean "infra.cache"?)',
        'CONFIG_INVALID infra.yaml:4:21 c#/type: The module type "iac.provder" is not known (Did you mean "iac.provider"?)',
        'CONFIG_INVALID infra.yaml:5:21 d#/type: The module type "infra.Database" cannot be read, expected infra.<kind> in small letters, digits and "_" (Did you mean "infra.database"?)',
        'CONFIG_INVALID infra.yaml:6:21 e#/type: The module type "infra" cannot be read, expected infra.<kind> in small letters, digits and "_" (Did you mean "infra.database"?)',
        'CONFIG_INVALID infra.yaml:7:21 f#/type: The module type "platform.mesh-thing" belongs to an older system that is not read here (Write type: infra.<kind>, such as infra.database)',
        'CONFIG_INVALID infra.yaml:8:21 g#/type: The module type "Infra.vpc" is not known (Did you mean "infra.vpc"?)',
      ],
    ],
    [
      "unknown keys",
      `${provider}  - name: a\n    type: infra.vpc\n    proteced: true\n    depends_on: [p]\n    size: s\n`,
      [
        'CONFIG_INVALID infra.yaml:5:5 a#/proteced: The key "proteced" is not known in a module (Did you mean "protected"?)',
        'CONFIG_INVALID infra.yaml:6:5 a#/depends_on: The key "depends_on" is not known in a module (Write it under config, or write dependsOn here)',
        'CONFIG_INVALID infra.yaml:7:5 a#/size: The key "size" is not known in a module (Write it under config)',
      ],
    ],
    [
      "wrong types of known keys",
      `${provider}  - name: a\n    type: infra.vpc\n    protected: yes\n    existing: 1\n    adopt_existing: "no"\n    dependsOn: b\n    satisfies: 1\n    environments: []\n    config:\n      size: 5\n      protected: "true"\n      adopt_existing: []\n      depends_on: {}\n      provider: 1\n`,
      [
        'CONFIG_INVALID infra.yaml:5:16 a#/protected: "protected" is text, expected true or false (Write true or false, without quotes)',
        'CONFIG_INVALID infra.yaml:6:15 a#/existing: "existing" is a number, expected true or false (Write true or false, without quotes)',
        'CONFIG_INVALID infra.yaml:7:21 a#/adopt_existing: "adopt_existing" is text, expected true or false (Write true or false, without quotes)',
        'CONFIG_INVALID infra.yaml:8:16 a#/dependsOn: "dependsOn" is text, expected a list (Write dependsOn: [a, b])',
        'CONFIG_INVALID infra.yaml:9:16 a#/satisfies: "satisfies" is a number, expected a list (Write satisfies: [a, b])',
        'CONFIG_INVALID infra.yaml:10:19 a#/environments: "environments" is a list, expected a mapping (Write environments: with keys below it)',
        'CONFIG_INVALID infra.yaml:12:13 a#/config/size: "size" is a number, expected text (Write size: "…")',
        'CONFIG_INVALID infra.yaml:13:18 a#/config/protected: "protected" is text, expected true or false (Write true or false, without quotes)',
        'CONFIG_INVALID infra.yaml:14:23 a#/config/adopt_existing: "adopt_existing" is a list, expected true or false (Write true or false, without quotes)',
        'CONFIG_INVALID infra.yaml:15:19 a#/config/depends_on: "depends_on" is a mapping, expected a list (Write depends_on: [a, b])',
        'CONFIG_INVALID infra.yaml:16:17 a#/config/provider: "provider" is a number, expected text (Write provider: "…")',
      ],
    ],
    [
      "config that is no mapping",
      `${provider}  - {name: a, type: infra.vpc, config: [x]}\n`,
      [
        'CONFIG_INVALID infra.yaml:3:40 a#/config: "config" is a list, expected a mapping (Write config: with keys below it)',
      ],
    ],
    [
      "lifecycle and timeouts",
      `${provider}  - name: a\n    type: infra.vpc\n    lifecycle: {replace: create-frist, retain: 1, ignore_changes: [1], reatin: true}\n    timeouts: {create: 30x, update: -1, read: 26d, del: 3}\n`,
      [
        'CONFIG_INVALID infra.yaml:5:26 a#/lifecycle/replace: "replace" is "create-frist", expected "create-first" or "delete-first" (Did you mean "create-first"?)',
        'CONFIG_INVALID infra.yaml:5:48 a#/lifecycle/retain: "retain" is a number, expected true or false (Write true or false, without quotes)',
        'CONFIG_INVALID infra.yaml:5:68 a#/lifecycle/ignore_changes/0: An item of "ignore_changes" is a number, expected text (Write a name)',
        'CONFIG_INVALID infra.yaml:5:72 a#/lifecycle/reatin: The key "reatin" is not known in lifecycle (Did you mean "retain"?)',
        'CONFIG_INVALID infra.yaml:6:24 a#/timeouts/create: The timeout "create" is "30x", expected a duration above 0 and of at most 24 days (Write it like "30m", "1h30m" or "90s"; a number counts seconds)',
        'CONFIG_INVALID infra.yaml:6:37 a#/timeouts/update: The timeout "update" is -1, expected a duration above 0 and of at most 24 days (Write it like "30m", "1h30m" or "90s"; a number counts seconds)',
        'CONFIG_INVALID infra.yaml:6:47 a#/timeouts/read: The timeout "read" is "26d", expected a duration above 0 and of at most 24 days (Write it like "30m", "1h30m" or "90s"; a number counts seconds)',
        'CONFIG_INVALID infra.yaml:6:52 a#/timeouts/del: The key "del" is not known in timeouts (Known are "create", "read", "update" and "delete")',
      ],
    ],
    [
      "existing and adopt_existing together",
      `${provider}  - {name: a, type: infra.vpc, existing: true, config: {adopt_existing: true}}\n`,
      [
        'CONFIG_INVALID infra.yaml:3:42 a#/existing: "existing" and "adopt_existing" exclude each other: the first only reads, the second takes over (Keep one of the two)',
      ],
    ],
    [
      "values that decide the plan and are references",
      `${provider}  - name: a\n    type: infra.vpc\n    config: {size: "\${SIZE}", protected: "\${P}", depends_on: ["\${D}"], provider: $PROVIDER}\n`,
      [
        'CONFIG_INVALID infra.yaml:5:20 a#/config/size: "size" is a reference, expected text (Write the value itself: it decides the plan. Use environments to vary it)',
        'CONFIG_INVALID infra.yaml:5:42 a#/config/protected: "protected" is a reference, expected true or false (Write the value itself: it decides the plan. Use environments to vary it)',
        'CONFIG_INVALID infra.yaml:5:63 a#/config/depends_on/0: An item of "depends_on" is a reference, expected text (Write the value itself: it decides the plan. Use environments to vary it)',
        'CONFIG_INVALID infra.yaml:5:82 a#/config/provider: "provider" is a reference, expected text (Write the value itself: it decides the plan. Use environments to vary it)',
      ],
      { env: { SIZE: "s", P: "true", D: "x", PROVIDER: "p" } },
    ],
    [
      "two state modules",
      "modules:\n  - {name: s1, type: iac.state}\n  - {name: s2, type: iac.state, config: {backend: 5}}\n",
      [
        'CONFIG_INVALID infra.yaml:3:12 s2#/name: "s2" is a second module of type iac.state, first at infra.yaml:2:12 (Keep one; an environment set to null leaves a module out)',
      ],
    ],
  ]);
});

describe("providers", () => {
  table([
    [
      "none at all, said once",
      "modules:\n  - {name: a, type: infra.vpc}\n  - {name: b, type: infra.vpc}\n",
      [
        "CONFIG_INVALID infra.yaml:2:5 a#: There are resources but no provider module (Add a module with type: iac.provider and config: {provider: <name>}, such as aws, gcp, azure, digitalocean or local)",
      ],
    ],
    [
      "several and none chosen",
      `${provider}  - {name: q, type: iac.provider, config: {provider: aws}}\n  - {name: a, type: infra.vpc}\n`,
      [
        'CONFIG_INVALID infra.yaml:4:5 a#: The resource "a" does not say which provider it uses, there are "p" and "q" (Write config: {provider: p})',
      ],
    ],
    [
      "an unknown one, and the name of a plugin in place of a module's",
      `${provider}  - {name: main, type: iac.provider, config: {provider: aws}}\n  - {name: a, type: infra.vpc, config: {provider: mian}}\n  - {name: b, type: infra.vpc, config: {provider: p, iac_provider: aws}}\n`,
      [
        'CONFIG_INVALID infra.yaml:4:51 a#/config/provider: The provider "mian" is not known, expected the name of an iac.provider module (Did you mean "main"?)',
        'CONFIG_INVALID infra.yaml:5:68 b#/config/iac_provider: The provider "aws" is not known, expected the name of an iac.provider module (Write iac_provider: main, the name of the module)',
      ],
    ],
    [
      "one that does not say which it is",
      "modules:\n  - {name: p, type: iac.provider}\n",
      [
        'CONFIG_INVALID infra.yaml:2:5 p#: The provider module "p" does not say which provider it is (Write config: {provider: aws}, with the name of the provider)',
      ],
    ],
    [
      "one that the environment leaves out",
      "modules:\n  - {name: p, type: iac.provider, config: {provider: local}, environments: {ci: null}}\n  - {name: q, type: iac.provider, config: {provider: local}}\n  - {name: a, type: infra.vpc, config: {provider: p}}\n",
      [
        'CONFIG_INVALID infra.yaml:4:51 a#/config/provider: The provider "p" is left out of the environment "ci" (Known are "q")',
      ],
      { environment: "ci" },
    ],
    [
      "an unknown one given by the environment, said once",
      "environments: {ci: {provider: pp}}\nmodules:\n  - {name: p, type: iac.provider, config: {provider: local}}\n  - {name: a, type: infra.vpc}\n  - {name: b, type: infra.vpc}\n",
      [
        'CONFIG_INVALID infra.yaml:1:31 #/environments/ci/provider: The provider "pp" is not known, expected the name of an iac.provider module (Did you mean "p"?)',
      ],
      { environment: "ci" },
    ],
    [
      "references to resources in their configuration",
      "modules:\n  - {name: p, type: iac.provider, config: {provider: local, host: '${a.ip}'}}\n  - {name: a, type: infra.vpc}\n  - {name: s, type: iac.state, config: {bucket: '${a.id}'}}\n",
      [
        'CONFIG_INVALID infra.yaml:2:68 p#/config/host: The reference "${a.ip}" cannot be used in the configuration of a provider (Only environment variables are known there)',
        'CONFIG_INVALID infra.yaml:4:50 s#/config/bucket: The reference "${a.id}" cannot be used in the configuration of the state (Only environment variables are known there)',
      ],
    ],
  ]);
});

describe("references and dependencies", () => {
  const resources = (lines: string): string =>
    `${provider}  - {name: net, type: infra.vpc}\n  - name: db\n    type: infra.database\n${lines}`;
  table([
    [
      "text that cannot be read",
      resources('    config:\n      a: "ok ${"\n      b: "${}"\n      c: "x ${.y} ${z.}"\n'),
      [
        "CONFIG_INVALID infra.yaml:7:14 db#/config/a: The reference is not closed, expected a } (Write $${ for a plain ${)",
        "CONFIG_INVALID infra.yaml:8:11 db#/config/b: The reference ${} is empty (Write $${ for a plain ${)",
        'CONFIG_INVALID infra.yaml:9:13 db#/config/c: The reference "${.y}" has no resource before its dot (Write ${resource.output})',
        'CONFIG_INVALID infra.yaml:9:19 db#/config/c: The reference "${z.}" has no output after its dot (Write ${z.id} for the id)',
      ],
    ],
    [
      "variables that are not set, also under env_vars",
      resources(
        '    config:\n      a: ${NOPE}\n      env_vars: {B: "x ${NOPE}"}\n      env_vars_secret: {C: $OTHER}\n      d: ${net}\n',
      ),
      [
        'CONFIG_INVALID infra.yaml:7:10 db#/config/a: The environment variable "NOPE" is not set (Set it, declare it under secrets.entries, or write $${NOPE} for plain text)',
        'CONFIG_INVALID infra.yaml:8:24 db#/config/env_vars/B: The environment variable "NOPE" is not set (Set it, declare it under secrets.entries, or write $${NOPE} for plain text)',
        'CONFIG_INVALID infra.yaml:9:28 db#/config/env_vars_secret/C: The environment variable "OTHER" is not set (Set it, declare it under secrets.entries, or write $${OTHER} for plain text)',
        'CONFIG_INVALID infra.yaml:10:10 db#/config/d: The environment variable "net" is not set (Set it, or write ${net.id} for the id of the resource "net")',
      ],
    ],
    [
      "resources that do not exist",
      resources('    dependsOn: [nte]\n    config:\n      depends_on: [nett, 3]\n      a: "${nat.id} ${zebra.id}"\n'),
      [
        'CONFIG_INVALID infra.yaml:6:17 db#/dependsOn/0: The resource depends on "nte", expected the name of a resource (Did you mean "net"?)',
        'CONFIG_INVALID infra.yaml:8:20 db#/config/depends_on/0: The resource depends on "nett", expected the name of a resource (Did you mean "net"?)',
        'CONFIG_INVALID infra.yaml:8:26 db#/config/depends_on/1: An item of "depends_on" is a number, expected text (Write a name)',
        'CONFIG_INVALID infra.yaml:9:11 db#/config/a: "${nat.id}" refers to "nat", expected the name of a resource (Did you mean "net"?)',
        'CONFIG_INVALID infra.yaml:9:21 db#/config/a: "${zebra.id}" refers to "zebra", expected the name of a resource (Known are "net" and "db")',
      ],
    ],
    [
      "modules that are no resources",
      resources(
        '    dependsOn: [server, p]\n    config: {depends_on: [p], a: "${server.port}"}\n  - {name: server, type: http.server}\n',
      ),
      [
        'CONFIG_INVALID infra.yaml:7:27 db#/config/depends_on/0: The resource depends on "p", a module of type "iac.provider" and not a resource (Only infra.* modules can be waited for)',
        'CONFIG_INVALID infra.yaml:7:35 db#/config/a: "${server.port}" refers to "server", a module of type "http.server" and not a resource (Only infra.* modules have outputs)',
      ],
    ],
    [
      "circles",
      `${provider}  - {name: a, type: infra.vpc, config: {depends_on: [b]}}\n  - {name: b, type: infra.vpc, dependsOn: [c]}\n  - {name: c, type: infra.vpc, config: {x: "\${a.id}"}}\n  - {name: d, type: infra.vpc, config: {x: "\${d.id}"}}\n  - {name: e, type: infra.vpc, config: {x: "\${a.id}"}}\n`,
      [
        "CYCLE infra.yaml:3:54 a#/config/depends_on/0: Resources depend on each other in a circle: a -> b -> c -> a (Remove one of these dependencies or references)",
        'CYCLE infra.yaml:6:44 d#/config/x: The resource "d" depends on itself (Remove one of these dependencies or references)',
      ],
    ],
    [
      "outputs and moves",
      `${provider}  - {name: a, type: infra.vpc}\nmoved:\n  - {from: old, to: b}\n  - {from: a, to: a2}\n  - {from: x}\n  - {from: y, to: y}\n  - {from: old, to: a}\n  - {form: z, to: a}\n  - 7\noutputs:\n  one: \${aa.id}\n  two: {valeu: 1}\n  three: {value: $NOPE, sensitive: maybe}\n`,
      [
        'CONFIG_INVALID infra.yaml:5:21 #/moved/0/to: "moved" moves to "b", expected the name of a resource (Known are "a")',
        'CONFIG_INVALID infra.yaml:6:12 #/moved/1/from: "moved" moves "a", which is still a resource of the configuration (Rename the module, or remove the item)',
        'CONFIG_INVALID infra.yaml:6:19 #/moved/1/to: "moved" moves to "a2", expected the name of a resource (Did you mean "a"?)',
        'CONFIG_INVALID infra.yaml:7:5 #/moved/2: An item of "moved" has no to (Write {from: old, to: new})',
        'CONFIG_INVALID infra.yaml:8:5 #/moved/3: "moved" gives "y" its own name (Remove the item)',
        'CONFIG_INVALID infra.yaml:9:12 #/moved/4/from: "moved" moves "old" twice (Keep one of the two)',
        'CONFIG_INVALID infra.yaml:10:5 #/moved/5: An item of "moved" has no from (Write {from: old, to: new})',
        'CONFIG_INVALID infra.yaml:10:6 #/moved/5/form: The key "form" is not known in moved (Did you mean "from"?)',
        'CONFIG_INVALID infra.yaml:11:5 #/moved/6: An item of "moved" is a number, expected a mapping (Write {from: old, to: new})',
        'CONFIG_INVALID infra.yaml:13:8 #/outputs/one: "${aa.id}" refers to "aa", expected the name of a resource (Did you mean "a"?)',
        'CONFIG_INVALID infra.yaml:14:8 #/outputs/two: The output "two" has no value (Write value: ${resource.output} below it)',
        'CONFIG_INVALID infra.yaml:14:9 #/outputs/two/valeu: The key "valeu" is not known in an output (Did you mean "value"?)',
        'CONFIG_INVALID infra.yaml:15:18 #/outputs/three/value: The environment variable "NOPE" is not set (Set it, declare it under secrets.entries, or write $${NOPE} for plain text)',
        'CONFIG_INVALID infra.yaml:15:36 #/outputs/three/sensitive: "sensitive" is text, expected true or false (Write true or false, without quotes)',
      ],
    ],
  ]);

  test("names of secrets need no variable, and what an environment does not use is not asked for", async () => {
    const text = `${provider}  - name: a\n    type: infra.container_service\n    config: {x: "\${ONLY_BASE}", env_vars: {T: "\${TOKEN}", K: "\${BUCKET_access_key}"}}\n    environments: {prod: {config: {x: fixed}}, dev: {config: {y: "\${ONLY_DEV}"}}}\nsecrets:\n  entries: [{name: TOKEN}]\n  generate: [{key: BUCKET, type: provider_credential, source: digitalocean.spaces}]\n`;
    expect(await diagnose(text, { environment: "prod" })).toEqual([]);
    expect(await diagnose(text, { environment: "dev" })).toEqual([
      'CONFIG_INVALID infra.yaml:5:18 a#/config/x: The environment variable "ONLY_BASE" is not set (Set it, declare it under secrets.entries, or write $${ONLY_BASE} for plain text)',
      'CONFIG_INVALID infra.yaml:6:67 a#/config/y: The environment variable "ONLY_DEV" is not set (Set it, declare it under secrets.entries, or write $${ONLY_DEV} for plain text)',
    ]);
  });

  test("no variable is asked for where none are given", async () => {
    const { stack } = await loadText(
      { "infra.yaml": `${provider}  - {name: a, type: infra.vpc, config: {x: $ANY}}\n` },
      {},
    );
    expect(stack).toBeUndefined();
    const texts = `${provider}  - {name: a, type: infra.vpc, config: {x: $ANY}}\n`;
    const { loadStack } = await import("./load-stack.ts");
    const result = await loadStack({ cwd: "/stack", path: "infra.yaml", readFile: async () => texts });
    expect(result.diagnostics).toEqual([]);
  });
});

describe("secrets", () => {
  table([
    [
      "shapes",
      "modules: []\nsecrets:\n  providr: x\n  entries: [{nam: a}, 5, {name: b, store: 1}]\n  generate: [{key: k, type: random_hex, lenght: 3}]\nsecretStores: {main: 5, other: {providers: x}}\n",
      [
        'CONFIG_INVALID infra.yaml:3:3 #/secrets/providr: The key "providr" is not known in secrets (Did you mean "provider"?)',
        'CONFIG_INVALID infra.yaml:4:13 #/secrets/entries/0: An item of "entries" has no name (Write name: with the secret\'s name)',
        'CONFIG_INVALID infra.yaml:4:14 #/secrets/entries/0/nam: The key "nam" is not known in secrets.entries (Did you mean "name"?)',
        'CONFIG_INVALID infra.yaml:4:23 #/secrets/entries/1: An item of "entries" is a number, expected a mapping (Write - name: …)',
        'CONFIG_INVALID infra.yaml:4:43 #/secrets/entries/2/store: "store" is a number, expected text (Write store: "…")',
        'CONFIG_INVALID infra.yaml:5:41 #/secrets/generate/0/lenght: The key "lenght" is not known in secrets.generate (Did you mean "length"?)',
        'CONFIG_INVALID infra.yaml:6:22 #/secretStores/main: The secret store "main" is a number, expected a mapping (Write provider: … below it)',
        'CONFIG_INVALID infra.yaml:6:32 #/secretStores/other: The secret store "other" does not say which provider it has (Write provider: and one of file, env, vault, aws, aws-secrets-manager, github, github-actions, keychain)',
        'CONFIG_INVALID infra.yaml:6:33 #/secretStores/other/providers: The key "providers" is not known in a secret store (Did you mean "provider"?)',
      ],
    ],
  ]);
});
