import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stackDigestInput } from "../digest.ts";
import { loadStack } from "../load-stack.ts";
import type { LoadStackOptions, StackConfig } from "../stack.ts";
import { lineOf } from "../testing/load-text.ts";
import { evaluateProgram } from "./evaluate-program.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wfctl-program-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const imports = 'import { defineStack, env, expr, variable } from "@wfctl/stack";\n';
const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
async function load(path: string, options: Partial<LoadStackOptions> = {}): Promise<StackConfig> {
  const { stack, diagnostics } = await loadStack({ cwd: folder, path, ...options });
  if (stack === undefined) throw new Error(diagnostics.map(lineOf).join("\n"));
  return stack;
}
async function diagnose(text: string, options: Partial<LoadStackOptions> = {}): Promise<string[]> {
  await write("infra.ts", imports + text);
  const { diagnostics } = await loadStack({ cwd: folder, ...options });
  return diagnostics.map(lineOf);
}

test("a program and a file in YAML that say the same are the same stack", async () => {
  await write(
    "infra.ts",
    `${imports}import { service } from "./service.ts";
export default defineStack({ name: "shop", environments: { prod: { region: "r1" }, dev: {} }, variables: { tag: { default: "7" } } }, (stack) => {
  const cloud = stack.provider("p", "fake");
  const db = stack.resource("infra.database", "orders-db", { size: stack.environment === "prod" ? "l" : "s" }, { provider: cloud, protected: true });
  stack.group("web", (group) => service(group, db));
  stack.resource("infra.dns", "dns", { target: \`\${stack.resource("infra.vpc", "net").id}\`, sum: expr\`\${db.outputs["port"]} + 1\` });
  stack.output("db", db.id);
});
`,
  );
  await write(
    "service.ts",
    `${imports}export function service(group: any, db: any) {
  for (const zone of ["a", "b"]) {
    group.resource("infra.container_service", \`api-\${zone}\`, { image: \`r/api:\${variable("tag")}\`, env_vars: { DB: \`pg://\${db.outputs.host}\`, TOKEN: env("TOKEN") } }, { dependsOn: [db] });
  }
}
`,
  );
  await write(
    "other.yaml",
    `name: shop
environments: {prod: {region: r1}, dev: {}}
variables: {tag: "7"}
modules:
- {name: p, type: iac.provider, config: {provider: fake}}
- {name: orders-db, type: infra.database, protected: true, config: {iac_provider: p, size: s}, environments: {prod: {config: {size: l}}}}
- name: web.api-a
  type: infra.container_service
  dependsOn: [orders-db]
  config: &api {image: 'r/api:\${var.tag}', env_vars: {DB: 'pg://\${orders-db.host}', TOKEN: '\${TOKEN}'}}
- {name: web.api-b, type: infra.container_service, dependsOn: [orders-db], config: *api}
- {name: net, type: infra.vpc}
- {name: dns, type: infra.dns, config: {target: '\${net.id}', sum: '\${{ resource["orders-db"].port + 1 }}'}}
outputs: {db: '\${orders-db.id}'}
`,
  );
  for (const environment of ["prod", "dev"]) {
    const program = await load("infra.ts", { environment });
    const yaml = await load("other.yaml", { environment });
    expect(stackDigestInput(program)).toEqual(stackDigestInput(yaml));
    expect(program.outputs).toEqual(yaml.outputs);
    expect(program.name).toBe("shop");
  }
});

describe("what is wrong", () => {
  test("is told with its place in the program", async () => {
    const found = await diagnose(
      `export default defineStack({}, (stack) => {
  stack.provider("p", "fake");
  stack.resource("infra.dns", "dns", { target: "\${bd.id}" });
  const db = stack.resource("infra.database", "db");
});\n`,
    );
    expect(found).toEqual([
      expect.stringMatching(
        /^CONFIG_INVALID infra\.ts:4:9 dns#\/config\/target: "\$\{bd\.id\}" refers to "bd".*Did you mean "db"/,
      ),
    ]);
  });

  test.each<[string, string, RegExp]>([
    [
      "an error",
      'export default defineStack({}, () => {\n  throw new Error("no luck.");\n});',
      /^CONFIG_INVALID infra\.ts:3:9.*: The program failed: no luck \(Correct/,
    ],
    ["an error while loading", 'throw new Error("early");', /infra\.ts:2:7.*cannot be loaded: early/],
    ["no TypeScript", "export default defineStack({}, (stack => {", /infra\.ts.*The program cannot be loaded: /],
    ["an unknown import", 'import "./nowhere.ts";', /The program cannot be loaded: Cannot find module/],
    ["no stack", "export const x = 1;", /The program exports no stack by default/],
    ["an end of the process", "process.exit(3);", /The program ended with exit code 3 before it gave a stack/],
    [
      "a promise that fails and is not awaited",
      'export default defineStack({}, () => {\n  void Promise.reject(new Error("lost"));\n});',
      /infra\.ts:3:23.*: The program failed in what it does not await: lost/,
    ],
    [
      "a declaration that is not awaited",
      'import { readFile } from "node:fs/promises";\nexport default defineStack({}, (stack) => {\n  void (async () => {\n    await readFile(import.meta.filename);\n    stack.resource("infra.x", "x");\n  })();\n});',
      /infra\.ts:6:11.*declared after the stack was complete: await/,
    ],
    [
      "what is no JavaScript, with its place",
      "const a = 1;\n  const = 3;",
      /infra\.ts:3:9.*cannot be loaded: Unexpected token `=`/,
    ],
    [
      "what types alone cannot be taken out of",
      "enum A { X }",
      /infra\.ts:2:1: .*enum is not supported.*\(Types are taken/,
    ],
    [
      "a package that is not there",
      'import { x } from "no-such-package/part";',
      /infra\.ts:2:19: .*Cannot find package.*\(Install it beside the program: npm install no-such-package\)/,
    ],
    [
      "a file that is not there",
      'import { x } from "./nothing";',
      /infra\.ts:2:19: .*Cannot find module.*\(Check the path\)/,
    ],
    ["a file without its ending", 'import { x } from "./infra";', /infra\.ts:2:19: .*\(Write the ending too: \.ts\)/],
    ["what is no error", "throw { why: 1 };", /The program cannot be loaded: \{ why: 1 \} \(Throw an Error/],
    [
      "an error with its cause",
      'throw new Error("fetch failed", { cause: new Error("connect ECONNREFUSED") });',
      /cannot be loaded: fetch failed: connect ECONNREFUSED/,
    ],
    ["an abort", "process.abort();", /The program ended with signal SIGABRT before it gave a stack/],
    [
      "depth without an end",
      'let deep: any = 1;\nfor (let i = 0; i < 20_000; i += 1) deep = { deep };\nexport default defineStack({}, (stack) => { stack.resource("infra.x", "x", deep); });',
      /infra\.ts:4:51.*is nested more than 200 levels deep/,
    ],
    ["a wait for nothing", "await new Promise(() => {});", /The program waits for what never comes/],
    [
      "a value inside of itself",
      'const a: any = {};\na.b = a;\nexport default defineStack({}, (stack) => { stack.resource("infra.x", "x", a); });',
      /The value at modules\.0\.config\.b is inside of itself/,
    ],
    [
      "a value that is no data",
      'export default defineStack({}, (stack) => { stack.resource("infra.x", "x", { f: () => 1 }); });',
      /The value at modules\.0\.config\.f is a function/,
    ],
  ])("%s", async (_, text, expected) => {
    const found = await diagnose(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });

  test("a program without an end is ended", async () => {
    await write("loop.ts", "for (;;);");
    const reply = await evaluateProgram(join(folder, "loop.ts"), undefined, 300);
    expect(reply).toMatchObject({ problem: "The program did not end within 0.3 s" });
  });

  test("a program that collects without an end runs out of memory, and not the machine", async () => {
    await write("eats.ts", "const all: number[][] = [];\nfor (;;) all.push(new Array(500_000).fill(all.length));");
    expect(await evaluateProgram(join(folder, "eats.ts"), undefined, 60_000, 64)).toEqual({
      problem: "The program ran out of memory: its values take more than 64 MiB",
      hint: "Look for a loop that collects without an end",
    });
  });

  test("each value that is no data is told, with the line of its declaration", async () => {
    const found = await diagnose(
      `export default defineStack({}, (stack) => {
  stack.resource("infra.x", "x", { f: () => 1, g: Symbol("g") });
  stack.resource("infra.x", "y", { d: new Date(0), n: NaN, fine: undefined });
});\n`,
    );
    expect(found).toEqual([
      expect.stringMatching(/infra\.ts:3:9: .*modules\.0\.config\.f is a function/),
      expect.stringMatching(/infra\.ts:3:9: .*modules\.0\.config\.g is a symbol/),
      expect.stringMatching(/infra\.ts:4:9: .*modules\.1\.config\.d is an object of a class/),
      expect.stringMatching(/infra\.ts:4:9: .*modules\.1\.config\.n is NaN/),
    ]);
  });

  test("what a program prints goes to standard error, and what V8 says at its end goes nowhere", async () => {
    await write(
      "eats.ts",
      'process.stdout.write("begin");\nconsole.log("s");\nconst all: number[][] = [];\nfor (;;) all.push(new Array(500_000).fill(1));',
    );
    const module = new URL("./evaluate-program.ts", import.meta.url).href;
    const script = `const { evaluateProgram } = await import(${JSON.stringify(module)});
console.log((await evaluateProgram(${JSON.stringify(join(folder, "eats.ts"))}, undefined, 60_000, 64)).problem);`;
    const child = spawn(process.execPath, [
      "--disable-warning=ExperimentalWarning",
      "--input-type=module",
      "-e",
      script,
    ]);
    const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
    expect(stdout).toBe("The program ran out of memory: its values take more than 64 MiB\n");
    expect(stderr.trim()).toBe("begins");
  });

  test("something that a program has left running does not hold it up", async () => {
    await write(
      "leaves.ts",
      'import { spawn } from "node:child_process";\nspawn("sleep", ["30"], { stdio: "inherit", detached: true }).unref();\nthrow new Error("enough");',
    );
    expect(await evaluateProgram(join(folder, "leaves.ts"), undefined)).toMatchObject({
      problem: "The program cannot be loaded: enough",
    });
  });

  test("another end by a signal is not taken for want of memory", async () => {
    await write("dies.ts", 'process.kill(process.pid, "SIGTERM");\nawait new Promise(() => {});');
    expect(await evaluateProgram(join(folder, "dies.ts"), undefined)).toMatchObject({
      problem: "The program ended with signal SIGTERM before it gave a stack",
    });
  });

  test("its memory is bounded without being given one", async () => {
    await write(
      "limit.ts",
      'import { getHeapStatistics } from "node:v8";\nthrow new Error(`${Math.round(getHeapStatistics().heap_size_limit / 2 ** 30)} GiB`);',
    );
    expect(await evaluateProgram(join(folder, "limit.ts"), undefined)).toMatchObject({
      problem: "The program cannot be loaded: 1 GiB",
    });
  });

  test("chance is found out, with the first place that differs", async () => {
    const text = `export default defineStack({}, (stack) => {
  stack.provider("p", "fake");
  stack.resource("infra.x", "x", { same: 1, list: [1, { token: \`\${process.pid}\` }], other: process.pid });
});\n`;
    expect(await diagnose(text, { checkPrograms: true })).toEqual([
      expect.stringMatching(
        /^CONFIG_INVALID infra\.ts:4:9 .*gives two results when it is evaluated twice: the value at \/modules\/1\/config\/list\/1\/token differs/,
      ),
    ]);
    expect(await diagnose(text)).toEqual([]);
  });
});

test("objects to import are declared by the resource or its name, and problems with them have the line of the call", async () => {
  await write(
    "infra.ts",
    `${imports}export default defineStack({ variables: { n: "7" } }, (stack) => {
  stack.provider("p", "fake");
  const x = stack.resource("infra.x", "x");
  stack.import(x, \`id-\${variable("n")}\`);
  stack.group("web", (web) => {
    web.resource("infra.x", "y");
    web.import("y", "2");
  });
});\n`,
  );
  expect((await load("infra.ts")).imports).toEqual([
    { to: "x", id: "id-7", source: { file: "infra.ts", line: 5, column: expect.any(Number) } },
    { to: "web.y", id: "2", source: { file: "infra.ts", line: 8, column: expect.any(Number) } },
  ]);
  const found = await diagnose(`export default defineStack({}, (stack) => {
  stack.provider("p", "fake");
  stack.resource("infra.x", "x");
  stack.import("xx", "1");
});\n`);
  expect(found).toEqual([
    expect.stringMatching(/^CONFIG_INVALID infra\.ts:5:\d+ .*"import" names "xx".*Did you mean "x"/),
  ]);
});

test("keys of the state are withheld from a program, other variables are not", async () => {
  process.env["WFCTL_KEY"] = "k";
  process.env["WFCTL_TEST_VISIBLE"] = "v";
  try {
    await write(
      "infra.ts",
      `${imports}export default defineStack({}, (stack) => {
  stack.provider("p", "fake");
  stack.resource("infra.x", "x", { key: process.env.WFCTL_KEY ?? "none", seen: process.env.WFCTL_TEST_VISIBLE });
});\n`,
    );
    const stack = await load("infra.ts");
    expect(stack.resources[0]?.config).toEqual({ key: "none", seen: "v" });
  } finally {
    delete process.env["WFCTL_KEY"];
    delete process.env["WFCTL_TEST_VISIBLE"];
  }
});

test("a name with dots is referred to by its longest form", async () => {
  await write(
    "infra.yaml",
    `modules:
- {name: p, type: iac.provider, config: {provider: fake}}
- {name: web.db, type: infra.database}
- {name: web.db.replica, type: infra.database}
- {name: api, type: infra.x, config: {a: '\${web.db.host}', b: '\${web.db.replica.host}', c: '\${web.db.tls.mode}'}}
`,
  );
  const stack = await load("infra.yaml");
  const parts = Object.values(stack.resources[2]?.config ?? {}).map(
    (value) => (value as { $expr: unknown[] }).$expr[0],
  );
  expect(parts).toEqual([
    { resource: "web.db", path: "host" },
    { resource: "web.db.replica", path: "host" },
    { resource: "web.db", path: "tls.mode" },
  ]);
});
