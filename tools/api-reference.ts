/**
 * The API reference of the plugin SDK, made from its declarations and their docstrings: docs/provider-api.md.
 * `npx vitest run tools/api-reference.test.ts -u` writes it anew.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const sdk = join(root, "packages/plugin-sdk/src");

/** Files whose exports an author sees, with the heading above them, in the order of reading. */
const parts: readonly (readonly [title: string, file: string])[] = [
  ["The provider", "author/define-provider"],
  ["A resource type", "author/define-resource"],
  ["What a handler gets", "author/context"],
  ["Failures and answers", "author/failure"],
  ["Waiting", "author/wait-for"],
  ["Rates", "author/limiter"],
  ["Log", "author/log"],
  ["Time", "author/clock"],
  ["The default diff", "schema/compare"],
  ["Secrets in a diff", "schema/sealed"],
  ["The manifest", "manifest/manifest"],
  ["Making the manifest", "manifest/generate-manifest"],
  ["Serving", "serve"],
];

/** Text of docs/provider-api.md. */
export async function apiReference(): Promise<string> {
  const declared = await declare();
  const exported = await exportedNames();
  const lines = [
    "# API of the plugin SDK",
    "",
    "What `@wfctl/plugin-sdk` exports, beside `z` of zod. The guide is [Writing a provider](provider-authors.md). This page is",
    "made from the source; `npx vitest run tools/api-reference.test.ts -u` writes it anew.",
  ];
  const shown = new Set<string>();
  for (const [title, file] of parts) {
    const statements = splitStatements(declared.get(file) ?? "").filter(({ name }) => exported.has(name));
    for (const { name } of statements) shown.add(name);
    if (statements.length === 0) throw new Error(`Nothing that is exported is declared in ${file}`);
    lines.push("", `## ${title}`, "", "```ts", statements.map(({ text }) => text).join("\n\n"), "```");
  }
  const missing = [...exported].filter((name) => !shown.has(name) && !fromModel.has(name));
  if (missing.length > 0) throw new Error(`Exported and not in the reference: ${missing.join(", ")}`);
  return `${lines.join("\n")}\n`;
}

/** Plain data of the model that the SDK passes on. */
const fromModel = new Set([
  "canonicalJson",
  "isJsonObject",
  "jsonEqual",
  "FieldChange",
  "Json",
  "JsonObject",
  "ResourceHints",
  "z",
]);

async function declare(): Promise<ReadonlyMap<string, string>> {
  const out = await mkdtemp(join(tmpdir(), "wfctl-api-"));
  try {
    const compilerOptions = {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      outDir: join(out, "types"),
      rootDir: sdk,
      typeRoots: [join(root, "node_modules/@types")],
    };
    const config = {
      extends: join(root, "tsconfig.json"),
      compilerOptions,
      files: [join(sdk, "index.ts")],
      include: [],
    };
    await writeFile(join(out, "tsconfig.json"), JSON.stringify(config));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    await promisify(execFile)(process.execPath, [tsc, "-p", out], { timeout: 120_000 });
    const texts = parts.map(
      async ([, file]) => [file, await readFile(join(out, "types", `${file}.d.ts`), "utf8")] as const,
    );
    return new Map(await Promise.all(texts));
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

async function exportedNames(): Promise<ReadonlySet<string>> {
  const module = (await import("@wfctl/plugin-sdk")) as Record<string, unknown>;
  const names = new Set(Object.keys(module));
  // Types have no trace in the module: those of files that are exported whole, and those named in the index.
  const index = await readFile(join(sdk, "index.ts"), "utf8");
  for (const [, list = "", file = ""] of index.matchAll(/export (?:type )?(\{[^}]*\}|\*) from "\.\/([^"]+)\.ts"/g)) {
    if (list === "*") {
      const source = await readFile(join(sdk, `${file}.ts`), "utf8");
      for (const [, name = ""] of source.matchAll(
        /^export (?:interface|type|class|const|function\*?|async function) (\w+)/gm,
      )) {
        names.add(name);
      }
    } else for (const [, name = ""] of list.matchAll(/(?:type )?(\w+)\s*(?:,|\})/g)) names.add(name);
  }
  return names;
}

/** Top-level declarations with their comments. */
function splitStatements(text: string): { name: string; text: string }[] {
  const statements: { name: string; text: string }[] = [];
  let comment: string[] = [];
  let current: string[] | undefined;
  const finish = (): void => {
    if (current === undefined) return;
    const joined = current.join("\n").trimEnd();
    const name = /(?:interface|type|class|const|function) (\w+)/.exec(joined.replace(/\/\*\*[\s\S]*?\*\//, ""))?.[1];
    if (name !== undefined) statements.push({ name, text: joined.replaceAll(/^export (declare )?/gm, "") });
    current = undefined;
  };
  for (const line of text.split("\n")) {
    if (line.startsWith("/**") || line.startsWith(" *")) {
      finish();
      comment.push(line);
    } else if (/^(export|declare) /.test(line) && !line.startsWith("export {")) {
      finish();
      current = [...comment, line];
      comment = [];
    } else if (line.startsWith("import ") || line.startsWith("export {")) {
      finish();
      comment = [];
    } else current?.push(line);
  }
  finish();
  return statements;
}
