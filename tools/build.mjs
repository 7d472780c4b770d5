/**
 * Bundles what is executed: apps/cli, and each provider, into its own dist/. Plain JavaScript, because `npm ci` runs it
 * under whatever Node the machine has (20 or newer).
 *
 *   node tools/build.mjs [--quiet] [--root FOLDER]      default: this repository
 *
 * A program's package.json may name further entries, beside src/main.ts:
 *   "wfctl": { "entries": { "supervisor": "src/supervisor/main.ts" } }    becomes dist/supervisor.js
 * Worker threads are entries as well: each worker.ts in a package that the program depends on, and what that package
 * lists in its own package.json as "wfctl": { "workers": { "heartbeat": "src/lease/heartbeat.ts" } }.
 * Modules that are loaded late but together may share a file, named with the modules that begin it, relative to the program:
 *   "wfctl": { "chunks": { "stack": ["src/commands/plan.ts"] } }           all that these need and the entries do not
 * An npm package that few runs need gets a file of its own, which is read with its first use:
 *   "wfctl": { "late": ["@marcbachmann/cel-js"] }
 * All output is flat, so `new URL("./worker.js", import.meta.url)` finds a worker from every chunk.
 */
import { existsSync } from "node:fs";
import { readFile, readdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const repository = fileURLToPath(new URL("..", import.meta.url));

/**
 * @typedef {{ root: string, folder: string, name: string, manifest: Record<string, any> }} Program
 * @typedef {{ files: number, bytes: number, packages: string[] }} Built   `packages`: folders of the npm packages bundled in
 */

/**
 * The programs of a repository: apps and providers with a package.json and a src/main.ts.
 * @returns {Promise<Program[]>}
 */
export async function findPrograms(root = repository) {
  const programs = [];
  for (const parent of ["apps", "providers"]) {
    for (const name of (await readdir(join(root, parent)).catch(() => [])).sort()) {
      const folder = join(root, parent, name);
      if (!existsSync(join(folder, "src/main.ts")) || !existsSync(join(folder, "package.json"))) continue;
      programs.push({ root, folder, name, manifest: await readJson(join(folder, "package.json")) });
    }
  }
  return programs;
}

const inputOptions = {
  platform: "node",
  external: /^node:/,
  // The ES modules of a package where it has both: of them only what is used gets into a bundle. The AWS plugin takes a
  // third less memory.
  resolve: { mainFields: ["module", "main"] },
  tsconfig: join(repository, "tsconfig.json"),
  // Modules of ours do nothing but define: one name of a package loads what that name needs, not the whole package.
  treeshake: { moduleSideEffects: (id) => (id.includes("/node_modules/") ? undefined : false) },
  onLog(level, log, handle) {
    // A package may ask for another that is not there and go on without; a source of ours may not.
    if (log.id?.includes("/node_modules/") || log.message.includes("/node_modules/")) return;
    if (log.code === "INEFFECTIVE_DYNAMIC_IMPORT") return;
    handle(log.code === "UNRESOLVED_IMPORT" ? "error" : level, log);
  },
};

/**
 * The modules that exactly one entry needs before it does anything, by id, with the name of the file that shall hold
 * them. Left alone, the bundler spreads them over a file for each set of late chunks that use them too, and every file
 * costs a third of a millisecond at start.
 */
async function findStartModules(entries, chunks) {
  const homes = new Map();
  for (const [name, entry] of Object.entries(entries)) {
    for (const id of (await neededAtOnce(entry)).keys()) {
      if (id !== entry) homes.set(id, homes.has(id) ? null : `${name}.start`);
    }
  }
  for (const [name, files] of Object.entries(chunks)) {
    for (const file of files) {
      const needed = await neededAtOnce(file);
      for (const [id, { importers }] of needed) {
        // What a start needs as well would make the two files need each other.
        if (!homes.has(id)) homes.set(id, importers.some((importer) => isStart(homes.get(importer))) ? null : name);
      }
    }
  }
  return homes;
}

function isStart(home) {
  return home === null || home?.endsWith(".start") === true;
}

/**
 * The modules that one module needs before it does anything, by id, each with those that import it. What these import
 * by its own name is among them even where this one module makes no use of it: others that share the file do.
 */
async function neededAtOnce(input) {
  const { rolldown } = await import("rolldown");
  const graph = new Map();
  const look = {
    name: "look",
    resolveId: (id, _, { kind }) => (kind === "dynamic-import" ? { id, external: true } : null),
    buildEnd() {
      for (const id of this.getModuleIds()) graph.set(id, this.getModuleInfo(id));
    },
  };
  const bundle = await rolldown({ ...inputOptions, input, plugins: [look] });
  const { output } = await bundle.generate({ format: "esm" });
  await bundle.close();
  const needed = new Map();
  const pending = output.flatMap((chunk) => chunk.moduleIds ?? []);
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const info = graph.get(id);
    if (needed.has(id) || info === null || info === undefined) continue;
    needed.set(id, info);
    if (!id.includes("/node_modules/"))
      pending.push(...info.importedIds.filter((other) => !/\/index\.ts$|\/node_modules\//.test(other)));
  }
  return needed;
}

function late(load) {
  return {
    get late() {
      const value = load();
      Object.defineProperty(this, "late", { value });
      return value;
    },
  };
}

/** Modules of Node that cost a third of a millisecond or more to load, and that many commands never use. */
const seldomUsed =
  /^node:(?:child_process|dns|fs\/promises|https?|http2|net|readline|stream\/promises|timers\/promises|tls|worker_threads)$/;

/** Files of the bundle that hold a package which few runs need. */
const lateFile = "late.";

function isLate(name) {
  return seldomUsed.test(name) || name.startsWith(`./${lateFile}`);
}

/**
 * Loads such a module, and such a file, when it is used for the first time, not with the file that imports it; and keeps the bundle to ASCII,
 * which Node reads several times faster than other text.
 */
const lateModules = {
  name: "late-modules",
  renderChunk(code) {
    let lazy = code;
    for (const [line, local, name] of code.matchAll(/^(?:let|const) (\w+) = require\("([^"]+)"\);$/gm)) {
      // Where the import as a whole is used it is wrapped, and assigned once more.
      if (!isLate(name) || code.includes(`\n${local} = `)) continue;
      const [before, after] = lazy.split(line);
      const used = (text) => text.replace(new RegExp(`(?<![\\w$.])${local}(?![\\w$])`, "g"), `${local}$.late`);
      lazy = `${used(before)}let ${local}$ = late(() => require("${name}"));${used(after)}`;
    }
    if (lazy !== code) lazy = `${late.toString()}\n${lazy}`;
    return lazy.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  },
};

function lateFileOf(id, { manifest }) {
  const name = manifest.wfctl?.late?.find((candidate) => id.includes(`/node_modules/${candidate}/`));
  return name === undefined ? null : `${lateFile}${name.replace(/^.*\//, "")}`;
}

/**
 * Bundles one program into `out`, which is replaced as a whole once the bundle is complete.
 * @param {Program} program
 * @param {string} out
 * @returns {Promise<Built>}
 */
export async function buildProgram(program, out) {
  const { rolldown } = await import("rolldown");
  const started = new Date();
  const programs = { main: "src/main.ts", ...program.manifest.wfctl?.entries };
  const workers = await findWorkers(program);
  const taken = Object.keys(workers).filter((name) => name in programs);
  if (taken.length > 0) throw new Error(`Cannot build ${program.name}: two entries are called "${taken[0]}"`);

  const starters = [...Object.keys(workers), ...Object.keys(programs)];
  const input = {};
  for (const [name, file] of Object.entries(workers)) input[`${name}.program`] = file;
  for (const [name, file] of Object.entries(programs)) input[`${name}.program`] = join(program.folder, file);
  const chunks = Object.entries(program.manifest.wfctl?.chunks ?? {});
  const startModules = await findStartModules(
    input,
    Object.fromEntries(chunks.map(([name, files]) => [name, files.map((file) => join(program.folder, file))])),
  );
  const bundle = await rolldown({
    ...inputOptions,
    input,
    plugins: [lateModules],
    preserveEntrySignatures: false,
  });
  const staging = `${out}.${process.pid}.tmp`;
  await rm(staging, { recursive: true, force: true });
  const { output } = await bundle.write({
    dir: staging,
    format: "cjs",
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        { name: (id) => lateFileOf(id, program), debugName: "late", minSize: 0, priority: 1 },
        { name: (id) => startModules.get(id) ?? null, debugName: "start", minSize: 0 },
      ],
    },
    minify: false,
    sourcemap: false,
    comments: false,
  });
  await writeFile(join(staging, "sources"), listSources(program, await bundle.watchFiles));
  await bundle.close();
  await writeFile(join(staging, "package.json"), '{"type":"commonjs"}\n');
  const starter = await readFile(new URL("bundle-starter.cjs", import.meta.url), "utf8");
  for (const name of starters) {
    await writeFile(join(staging, `${name}.js`), starter.replaceAll("PROGRAM", name));
    await utimes(join(staging, `${name}.js`), started, started);
  }
  await replaceFolder(staging, out);
  return {
    files: output.length,
    bytes: output.reduce(
      (sum, chunk) => sum + Buffer.byteLength(chunk.type === "chunk" ? chunk.code : chunk.source),
      0,
    ),
    packages: npmPackagesOf(output),
  };
}

/**
 * What the launcher compares the bundle with, as a line of sh: every file of the repository that went into it, the
 * folders of these (they change when a file goes), and what decides about the npm packages.
 */
function listSources({ root, folder }, files) {
  const own = files.filter((file) => !file.includes("/node_modules/") && !relative(root, file).startsWith(".."));
  const paths = new Set([
    ...own,
    ...own.filter((file) => file.endsWith(".ts")).map(dirname),
    join(folder, "package.json"),
    join(root, "package-lock.json"),
  ]);
  return `wfctl_sources='${[...paths]
    .map((path) => relative(root, path))
    .sort()
    .join(" ")}'\n`;
}

/** Worker files of the workspace packages that a program depends on, however far: name of the entry to its file. */
async function findWorkers({ root, manifest }) {
  const found = {};
  const pending = Object.keys(manifest.dependencies ?? {});
  const seen = new Set();
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const folder = join(root, "packages", name.replace("@wfctl/", ""));
    if (seen.has(name) || !name.startsWith("@wfctl/") || !existsSync(join(folder, "package.json"))) continue;
    seen.add(name);
    const { dependencies = {}, wfctl } = await readJson(join(folder, "package.json"));
    pending.push(...Object.keys(dependencies));
    const files = await readdir(join(folder, "src"), { recursive: true }).catch(() => []);
    const workers = files.filter((file) => basename(file) === "worker.ts").map((file) => ["worker", join("src", file)]);
    for (const [entry, file] of [...workers, ...Object.entries(wfctl?.workers ?? {})]) {
      const path = join(folder, file);
      if (entry in found) throw new Error(`Two workers are called "${entry}": ${found[entry]} and ${path}`);
      found[entry] = path;
    }
  }
  return found;
}

/** A start that comes between the two renames finds no bundle and runs the sources. */
async function replaceFolder(from, to) {
  const old = `${to}.${process.pid}.old`;
  if (existsSync(to)) await rename(to, old);
  await rename(from, to);
  await rm(old, { recursive: true, force: true });
}

function npmPackagesOf(output) {
  const folders = new Set();
  for (const chunk of output) {
    for (const id of chunk.type === "chunk" ? chunk.moduleIds : []) {
      const folder = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
      if (folder !== undefined) folders.add(folder);
    }
  }
  return [...folders].sort();
}

async function readJson(path) {
  return JSON.parse(await readFile(path, "utf8"));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: { quiet: { type: "boolean" }, root: { type: "string", default: repository } },
  });
  for (const program of await findPrograms(resolve(values.root))) {
    const place = `${relative(program.root, program.folder)}/dist`;
    const from = performance.now();
    try {
      const { files, bytes } = await buildProgram(program, join(program.folder, "dist"));
      const size = `${files} files, ${Math.round(bytes / 1024)} KB, ${Math.round(performance.now() - from)} ms`;
      if (!values.quiet) console.log(`${place}: ${size}`);
    } catch (error) {
      console.error(`${place}: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
}
