/**
 * Who may import whom. Reads every package.json and every import of packages/, providers/ and apps/ against the table
 * below. Exit 1 lists what breaks it. A new npm dependency is a new word in this table and a decision in docs/decisions.
 */
import { readFile, readdir } from "node:fs/promises";
import { basename, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { readImports } from "./read-imports.ts";

export interface Layer {
  /** Workspace packages that sources may import. */
  readonly workspace: readonly string[];
  /** Of these, the ones imported with `import type` only. */
  readonly typesOnly?: readonly string[];
  /** npm packages that sources may import; a trailing * stands for any ending. */
  readonly npm: readonly string[];
  /** Free of node: modules, of the clock and of randomness. */
  readonly pure?: true;
  /** The whole package is for tests: its sources may import what its package.json lists. */
  readonly forTests?: true;
}

/** What only tests run: they may import what their package.json lists, and sources may not import them. */
const forTests = /\.test\.ts$|(^|\/)(test|testing|testdata)\/|(^|\/)(test-[^/]+|arbitraries)\.ts$/;

const wire = ["@bufbuild/protobuf", "@grpc/grpc-js"];

/** By folder; one without a row is refused. */
export const layers: Readonly<Record<string, Layer>> = {
  "packages/model": { workspace: [], npm: [], pure: true },
  "packages/contract": { workspace: ["@wfctl/model"], npm: wire },
  "packages/expressions": { workspace: ["@wfctl/model"], npm: ["@marcbachmann/cel-js"], pure: true },
  "packages/secrets": {
    workspace: ["@wfctl/model", "@wfctl/contract", "@wfctl/engine"],
    typesOnly: ["@wfctl/engine"],
    npm: ["@noble/ciphers", "@noble/hashes"],
  },
  "packages/exchange": { workspace: ["@wfctl/model"], npm: [], pure: true },
  "packages/stack": { workspace: [], npm: [], pure: true },
  "packages/config": { workspace: ["@wfctl/model", "@wfctl/expressions", "@wfctl/stack"], npm: ["yaml", "js-yaml"] },
  "packages/engine": { workspace: ["@wfctl/model", "@wfctl/expressions"], npm: [], pure: true },
  "packages/state": {
    workspace: ["@wfctl/model", "@wfctl/engine", "@wfctl/object-store"],
    typesOnly: ["@wfctl/engine"],
    npm: ["@aws-sdk/credential-provider-node", "pg"],
  },
  "packages/plugin-host": {
    workspace: ["@wfctl/model", "@wfctl/contract", "@wfctl/engine"],
    typesOnly: ["@wfctl/engine"],
    npm: wire,
  },
  "packages/plugin-sdk": { workspace: ["@wfctl/model", "@wfctl/contract"], npm: [...wire, "zod"] },
  "packages/object-store": { workspace: [], npm: [] },
  "packages/testkit": {
    workspace: [
      "@wfctl/model",
      "@wfctl/contract",
      "@wfctl/engine",
      "@wfctl/state",
      "@wfctl/plugin-host",
      "@wfctl/plugin-sdk",
    ],
    npm: wire,
    forTests: true,
  },
  "packages/conformance": {
    workspace: ["@wfctl/model", "@wfctl/contract", "@wfctl/plugin-host"],
    npm: wire,
  },
  "providers/local": { workspace: ["@wfctl/plugin-sdk"], npm: [] },
  "providers/aws": { workspace: ["@wfctl/plugin-sdk", "@wfctl/object-store"], npm: ["@aws-sdk/*", "@smithy/*"] },
  "providers/gcp": { workspace: ["@wfctl/plugin-sdk"], npm: ["@google-cloud/*", "google-auth-library"] },
  "providers/azure": { workspace: ["@wfctl/plugin-sdk"], npm: ["@azure/*"] },
  "providers/digitalocean": { workspace: ["@wfctl/plugin-sdk", "@wfctl/object-store"], npm: [] },
  "apps/cli": {
    workspace: [
      "@wfctl/model",
      "@wfctl/contract",
      "@wfctl/config",
      "@wfctl/conformance",
      "@wfctl/engine",
      "@wfctl/exchange",
      "@wfctl/state",
      "@wfctl/plugin-host",
      "@wfctl/secrets",
    ],
    npm: [],
  },
};

export interface Checked {
  /** One line each: file, what was found, what the table says. */
  readonly violations: readonly string[];
  readonly files: number;
  readonly imports: number;
}

/** Checks the repository at `root`. Throws where it finds no source or no import at all: then it looks in the wrong place. */
export async function checkLayers(root: string): Promise<Checked> {
  const violations: string[] = [];
  let files = 0;
  let imports = 0;
  for (const folder of await listWorkspaces(root)) {
    const layer = layers[folder];
    if (layer === undefined) {
      violations.push(`${folder}: has no row in tools/check-layers.ts, expected one`);
      continue;
    }
    const manifest = JSON.parse(await readFile(join(root, folder, "package.json"), "utf8")) as Manifest;
    violations.push(...checkManifest(folder, layer, manifest));
    for (const file of await listSources(join(root, folder))) {
      const checked = await checkFile(root, folder, layer, manifest, file);
      violations.push(...checked.violations);
      imports += checked.imports;
      files += 1;
    }
  }
  if (files === 0 || imports === 0)
    throw new Error(`Cannot check the layers of "${root}": ${files} files with ${imports} imports found`);
  return { violations, files, imports };
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function checkManifest(folder: string, layer: Layer, manifest: Manifest): string[] {
  const found: string[] = [];
  for (const [name, version] of Object.entries(manifest.dependencies ?? {})) {
    if (!isAllowed(layer, name))
      found.push(`${folder}/package.json: depends on ${name}, which its layer may not import`);
    if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      found.push(`${folder}/package.json: ${name} is "${version}", expected an exact version`);
  }
  return found;
}

async function checkFile(root: string, folder: string, layer: Layer, manifest: Manifest, file: string) {
  const place = relative(root, file);
  const isTest = layer.forTests === true || forTests.test(place);
  const { imports, clockReads } = readImports(file, await readFile(file, "utf8"));
  const violations: string[] = [];
  for (const { specifier, typeOnly } of imports) {
    const problem = isTest
      ? checkTestImport(manifest, root, folder, file, specifier)
      : checkImport(layer, manifest, join(root, folder), file, specifier, typeOnly);
    if (problem !== undefined) violations.push(`${place}: imports ${specifier}, ${problem}`);
  }
  if (layer.pure === true && !isTest && clockReads > 0)
    violations.push(`${place}: reads the clock with new Date(), expected it as an argument`);
  return { violations, imports: imports.length };
}

function checkImport(
  layer: Layer,
  manifest: Manifest,
  home: string,
  file: string,
  specifier: string,
  typeOnly: boolean,
): string | undefined {
  if (specifier.startsWith(".")) {
    const target = resolve(file, "..", specifier);
    if (forTests.test(relative(home, target))) return "which is for tests";
    return isInside(home, target) ? undefined : "a file of another package";
  }
  if (specifier.startsWith("node:")) return layer.pure === true ? "but its layer is pure" : undefined;
  const name = packageName(specifier);
  if (!isAllowed(layer, name)) return "which its layer may not";
  if (manifest.dependencies?.[name] === undefined) return "which its package.json does not list";
  if (layer.typesOnly?.includes(name) === true && !typeOnly) return "where only `import type` is allowed";
  return undefined;
}

function checkTestImport(
  manifest: Manifest,
  root: string,
  folder: string,
  file: string,
  specifier: string,
): string | undefined {
  if (specifier.startsWith("."))
    return isInside(join(root, folder), resolve(file, "..", specifier)) ? undefined : "a file of another package";
  const name = packageName(specifier);
  if (
    !name.startsWith("@wfctl/") ||
    manifest.dependencies?.[name] !== undefined ||
    manifest.devDependencies?.[name] !== undefined
  )
    return undefined;
  return "which its package.json does not list";
}

function isAllowed(layer: Layer, name: string): boolean {
  return [...layer.workspace, ...layer.npm].some((rule) =>
    rule.endsWith("*") ? name.startsWith(rule.slice(0, -1)) : name === rule,
  );
}

function packageName(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

function isInside(folder: string, path: string): boolean {
  return path.startsWith(folder + sep);
}

async function listWorkspaces(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const parent of ["packages", "providers", "apps"]) {
    for (const entry of await readdir(join(root, parent), { withFileTypes: true }).catch(() => [])) {
      if (entry.isDirectory()) found.push(`${parent}/${entry.name}`);
    }
  }
  return found.toSorted();
}

async function listSources(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const part of ["src", "test"]) {
    for (const path of await readdir(join(folder, part), { recursive: true }).catch(() => [])) {
      if (path.endsWith(".ts") && basename(path) !== ".ts") found.push(join(folder, part, path));
    }
  }
  return found.toSorted();
}

if (import.meta.main) {
  const { violations, files, imports } = await checkLayers(fileURLToPath(new URL("..", import.meta.url)));
  for (const violation of violations) console.error(violation);
  console.log(`layers: ${files} files, ${imports} imports, ${violations.length} violations`);
  if (violations.length > 0) process.exitCode = 1;
}
