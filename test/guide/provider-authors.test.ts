import { execFile } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { runConformance } from "@wfctl/conformance";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../../", import.meta.url));
const guide = readFileSync(join(repository, "docs/provider-authors.md"), "utf8");

interface Fence {
  readonly language: string;
  /** What follows the language: a file's name, or `fragment`. */
  readonly name: string;
  readonly code: string;
}

const fences: readonly Fence[] = [...guide.matchAll(/^```(\w+) (\S+)\n([\s\S]*?)^```$/gm)].map(
  ([, language = "", name = "", code = ""]) => ({ language, name, code }),
);

/** What the guide's fragments take for granted. */
const aroundFragments = `import { waitFor, type CallContext } from "@wfctl/plugin-sdk";
declare const context: CallContext<unknown>;
declare const client: { describe(id: string): Promise<{ address: string | undefined }> };
declare const [id, name]: string[];
`;

let root = "";
let folder = "";

beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "wfctl-guide-")));
  folder = join(root, "library");
  mkdirSync(folder);
  symlinkSync(join(repository, "node_modules"), join(root, "node_modules"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const { language, name, code } of fences) {
    if (name === "fragment") continue;
    writeFileSync(join(folder, name), code);
    if (language === "sh") chmodSync(join(folder, name), 0o755);
  }
  await run(process.execPath, ["--disable-warning=ExperimentalWarning", "write-manifest.ts"], { cwd: folder });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("the code of the guide", () => {
  test("is there: a provider, its manifest, its executable, what it is tried with, fragments", () => {
    const names = fences.map(({ name }) => name);
    expect(names.filter((name) => name !== "fragment")).toEqual([
      "main.ts",
      "write-manifest.ts",
      "library",
      "conformance.json",
    ]);
    expect(names.filter((name) => name === "fragment").length).toBeGreaterThan(0);
  });

  test("has sound types, the fragments too", async () => {
    const fragments = fences.filter(({ name }) => name === "fragment");
    for (const [index, { code }] of fragments.entries()) {
      const used = [...code.matchAll(/^const (\w+)/gm)].map(([, name]) => `void ${name};\n`).join("");
      const helpers = code.includes("waitFor") ? aroundFragments : aroundFragments.replace("waitFor, ", "");
      writeFileSync(join(folder, `fragment-${index}.ts`), `${helpers}${code}${used}export {};\n`);
    }
    const compilerOptions = {
      noEmit: true,
      noUnusedLocals: false,
      noUncheckedIndexedAccess: false,
      typeRoots: [join(repository, "node_modules/@types")],
    };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: join(repository, "tsconfig.json"), compilerOptions, include: ["*.ts"] }),
    );
    const tsc = join(repository, "node_modules/typescript/bin/tsc");
    const { stdout } = await run(process.execPath, [tsc, "-p", folder]).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).toBe("");
  });

  test("is a plugin that conforms to the contract", async () => {
    const report = await runConformance(folder, { level: "contract" });
    expect(report.failures).toEqual([]);
    const skipped = report.results.filter(({ result }) => result === "skipped");
    expect(skipped.filter(({ demand }) => demand === "required")).toEqual([]);
  }, 180_000);

  test("does not conform strictly, for the reason that the guide gives", async () => {
    const report = await runConformance(folder, {
      level: "strict",
      only: ["recovery", "create-foreign", "create-convergent"],
    });
    expect(report.failures.map(({ id }) => id)).toEqual(["recovery"]);
  });
});
