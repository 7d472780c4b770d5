import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { typeDeclarations } from "./type-declarations.ts";

const repository = fileURLToPath(new URL("../../../../", import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wfctl-types-"));
  await mkdir(join(folder, "node_modules/@wfctl"), { recursive: true });
  await symlink(join(repository, "packages/stack"), join(folder, "node_modules/@wfctl/stack"));
  await symlink(join(repository, "node_modules/@types"), join(folder, "node_modules/@types"));
  await writeFile(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        noEmit: true,
        module: "nodenext",
        target: "es2024",
        types: [],
        allowImportingTsExtensions: true,
        skipLibCheck: true,
      },
      include: ["*.ts"],
    }),
  );
  await writeFile(join(folder, "package.json"), '{"type": "module"}');
  await writeFile(
    join(folder, "types.d.ts"),
    typeDeclarations(
      new Map([
        [
          "infra.database",
          {
            config: {
              type: "object",
              properties: {
                engine: { enum: ["postgres", "mysql"], description: "Kind */ of database" },
                storage_gb: { type: "integer" },
                tags: { type: "object", additionalProperties: { type: "string" } },
                "odd-key": { $ref: "#/$defs/odd" },
              },
              required: ["engine"],
              additionalProperties: false,
              $defs: { odd: { type: ["string", "null"] } },
            },
            outputs: {
              type: "object",
              properties: {
                host: { type: "string" },
                port: { type: "integer" },
                replicas: { type: "array", items: { type: "object", properties: { host: { type: "string" } } } },
              },
            },
          },
        ],
        ["infra.dns", {}],
      ]),
      ["there"],
    ),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Lines of a program that do not compile, counted within its body. */
async function compile(body: string): Promise<string[]> {
  const head = 'import { defineStack, variable } from "@wfctl/stack";\nexport default defineStack({}, (stack) => {\n';
  await writeFile(join(folder, "infra.ts"), `${head}${body}\n});\n`);
  const tsc = join(repository, "node_modules/.bin/tsc");
  const result = await promisify(execFile)(tsc, ["-p", folder], { cwd: folder }).catch((error: unknown) => error);
  const { stdout } = result as { stdout: string };
  return [...stdout.matchAll(/^(\S+)\((\d+),\d+\): error TS\d+: (.*)$/gm)].map(
    ([, file, line, text]) => `${file === "infra.ts" ? Number(line) - 2 : file}: ${text ?? ""}`,
  );
}

test("a program of known types compiles, and composes outputs", async () => {
  expect(
    await compile(`const db = stack.resource("infra.database", "db", { engine: "postgres", storage_gb: variable<number>("gb"), size: "s", tags: { a: "b" }, "odd-key": null });
stack.resource("infra.dns", "dns", { anything: [1, db.outputs.port], target: \`\${db.outputs.replicas[0].host}:\${db.outputs.port}\` });
stack.resource("infra.database", "copy", { engine: "mysql", tags: { from: db.outputs.host, id: db.id } });`),
  ).toEqual([]);
});

test("wrong keys, values, types and outputs do not compile", async () => {
  const problems = await compile(`stack.resource("infra.database", "a", { engine: "postgres", storge_gb: 1 });
stack.resource("infra.database", "b", { engine: "oracle" });
stack.resource("infra.database", "c", { storage_gb: 1 });
stack.resource("infra.databse", "d", {});
stack.resource("infra.database", "e", { engine: "mysql" }).outputs.hots;
stack.resource("infra.database", "f", { engine: "mysql", storage_gb: variable<string>("gb") });
stack.resource("infra.database", "g", { engine: "mysql" }, { protcted: true });
stack.resource("infra.dns", "h", {});`);
  expect(problems.map((problem) => Number(problem.split(":")[0]))).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test("resources of a provider module whose types are not known are left alone, others are checked as ever", async () => {
  const problems = await compile(`const there = stack.provider("there", "nowhere");
const here = stack.provider("here", "aws");
const a = stack.resource("infra.database", "a", { engine: "oracle" }, { provider: there, protected: true });
const b = stack.resource("infra.queue", "b", { a: a.outputs.anything, b: a.id }, { provider: "there" });
stack.resource("infra.database", "c", { engine: "mysql", tags: { b: b.outputs.url } }, { provider: here, dependsOn: [a, b] });
stack.resource("infra.database", "d", { engine: "oracle" }, { provider: here });
stack.resource("infra.database", "e", { engine: "oracle" }, { provider: "here" });
stack.resource("infra.queue", "f", {}, { provider: here });
stack.resource("infra.queue", "g", {});
stack.resource("infra.queue", "h", {}, { provider: there, protcted: true });`);
  expect(problems.map((problem) => Number(problem.split(":")[0]))).toEqual([6, 7, 8, 9, 10]);
});
