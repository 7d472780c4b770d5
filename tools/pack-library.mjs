/**
 * Lays out a workspace package as one that authors of plugins install: the bundle of its own code and of every workspace
 * package it uses, the declarations of what its index exports, and the npm packages it needs as exact dependencies.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const packages = join(root, "packages");

/** What is published beside the programs: name of the folder to its README. */
export const libraries = { "plugin-sdk": "docs/provider-authors.md", conformance: "docs/conformance.md" };

/**
 * @param {string} name   folder below packages/
 * @param {string} staging   an empty folder; gets dist/, types/, package.json, LICENSE and README.md
 */
export async function layOutLibrary(name, staging) {
  const manifest = await readJson(join(packages, name, "package.json"));
  const { workspace, dependencies } = await collect(name);
  const imported = [
    ...(await bundle(name, Object.keys(dependencies), join(staging, "dist"))),
    ...(await declare(name, workspace, join(staging, "types"))),
  ];
  const isUsed = (dependency) => imported.some((each) => each === dependency || each.startsWith(`${dependency}/`));
  const { license, version, description } = manifest;
  const exports = { ".": { types: `./types/${name}/src/index.d.ts`, default: "./dist/index.js" } };
  const head = { name: manifest.name, version, description, license, type: "module", exports };
  const used = Object.fromEntries(Object.entries(dependencies).filter(([dependency]) => isUsed(dependency)));
  const written = { ...head, files: ["dist", "types"], engines: { node: ">=22" }, dependencies: used };
  await writeFile(join(staging, "package.json"), `${JSON.stringify(written, null, 2)}\n`);
  await copyFile(join(root, "LICENSE"), join(staging, "LICENSE"));
  const readme = join(root, libraries[name] ?? "");
  if (existsSync(readme)) await copyFile(readme, join(staging, "README.md"));
}

/** The workspace packages that one uses, itself included, and the npm packages that all of them use. */
async function collect(name) {
  const workspace = new Set();
  const dependencies = {};
  const pending = [name];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (workspace.has(next)) continue;
    workspace.add(next);
    const { dependencies: own = {} } = await readJson(join(packages, next, "package.json"));
    for (const [dependency, version] of Object.entries(own)) {
      if (dependency.startsWith("@wfctl/")) pending.push(dependency.slice("@wfctl/".length));
      else dependencies[dependency] = version;
    }
  }
  const sorted = Object.fromEntries(Object.entries(dependencies).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { workspace: [...workspace], dependencies: sorted };
}

/** Gives what the bundle imports. */
async function bundle(name, external, dir) {
  const { rolldown } = await import("rolldown");
  const built = await rolldown({
    input: { index: join(packages, name, "src/index.ts") },
    platform: "node",
    external: [/^node:/, ...external.map((each) => new RegExp(`^${each}(/|$)`))],
    tsconfig: join(root, "tsconfig.json"),
    treeshake: { moduleSideEffects: false },
  });
  const { output } = await built.write({
    dir,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
  });
  await built.close();
  return output.flatMap((chunk) => [...(chunk.imports ?? []), ...(chunk.dynamicImports ?? [])]);
}

/** Declarations of everything that the index reaches, in the folders of the repository. Gives what they import of npm. */
async function declare(name, workspace, dir) {
  const work = `${dir}.work`;
  await mkdir(work, { recursive: true });
  const config = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      outDir: join(work, "out"),
      rootDir: packages,
      typeRoots: [join(root, "node_modules/@types")],
    },
    // All of them: the compiler leaves out what it first meets as a package of node_modules.
    include: workspace.map((each) => join(packages, each, "src/**/*.ts")),
    exclude: ["**/*.test.ts", "**/testing/**", "**/testdata/**"],
  };
  await writeFile(join(work, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  await promisify(execFile)(process.execPath, [tsc, "-p", join(work, "tsconfig.json")], { timeout: 120_000 }).catch(
    (error) => {
      throw new Error(`Cannot make the declarations of ${name}: ${error.stdout || error.message}`);
    },
  );
  const seen = new Set();
  const external = new Set();
  const pending = [join(work, "out", name, "src/index.d.ts")];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const text = (await readFile(file, "utf8")).replaceAll(
      /(\bfrom |\bimport\(|^import )"([^"]+)"/gm,
      (whole, before, specifier) => {
        const target = resolveDeclaration(specifier, file, join(work, "out"));
        if (target === undefined) {
          external.add(specifier);
          return whole;
        }
        pending.push(target);
        const path = relative(dirname(file), target).replace(/\.d\.ts$/, ".js");
        return `${before}"${path.startsWith(".") ? path : `./${path}`}"`;
      },
    );
    const written = join(dir, relative(join(work, "out"), file));
    await mkdir(dirname(written), { recursive: true });
    await writeFile(written, text);
  }
  await rm(work, { recursive: true, force: true });
  return [...external];
}

/** Undefined for what npm installs. */
function resolveDeclaration(specifier, from, out) {
  if (specifier.startsWith("@wfctl/")) return join(out, specifier.slice("@wfctl/".length), "src/index.d.ts");
  if (!specifier.startsWith(".")) return undefined;
  return join(dirname(from), specifier.replace(/\.ts$/, ".d.ts"));
}

async function readJson(path) {
  return JSON.parse(await readFile(path, "utf8"));
}
