/**
 * Makes the packages that are published, as tarballs: wfctl-<version>.tgz, wfctl-provider-<name>-<version>.tgz (the
 * package @wfctl/provider-<name>), and for authors of plugins wfctl-plugin-sdk-<version>.tgz and
 * wfctl-conformance-<version>.tgz.
 * Plain JavaScript for Node 20 or newer, as tools/build.mjs, whose bundles it packs.
 *
 *   node tools/pack.mjs [--out FOLDER]      default: ./dist-packages
 *
 * A program has no dependency but Node itself: the platform packages of the root package.json. A provider's package is
 * a plugin folder as a host wants it: plugin.json beside an executable that is called like the plugin.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, copyFile, cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs, promisify } from "node:util";
import { buildProgram, findPrograms } from "./build.mjs";
import { layOutLibrary, libraries } from "./pack-library.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Packs the CLI and every provider that has a plugin.json. A provider without one is no plugin yet and left out.
 * @param {string} out
 * @param {{ readonly only?: readonly string[] }} [options] folder names of the programs to pack, and no library; default: all
 * @returns {Promise<string[]>} the tarballs
 */
export async function packAll(out, { only } = {}) {
  const tarballs = [];
  await mkdir(out, { recursive: true });
  for (const program of await findPrograms()) {
    if (only !== undefined && !only.includes(program.name)) continue;
    const isProvider = basename(dirname(program.folder)) === "providers";
    if (isProvider && !existsSync(join(program.folder, "plugin.json"))) continue;
    const { name } = program.manifest;
    const staging = join(out, `.${name.replace("/", "-")}`);
    await rm(staging, { recursive: true, force: true });
    await mkdir(staging, { recursive: true });
    const built = await buildProgram(program, join(staging, "dist"));
    await rm(join(staging, "dist/sources"));
    await (isProvider ? layOutPlugin(program, staging) : placeLauncher(join(staging, "bin", name)));
    const template = join(program.folder, "template");
    if (existsSync(template)) await cp(template, join(staging, "template"), { recursive: true });
    await writePackageFiles(
      program,
      name,
      isProvider ? {} : { bin: { [name]: `bin/${name}` } },
      built.packages,
      staging,
    );
    tarballs.push(await npmPack(staging, out));
    await rm(staging, { recursive: true, force: true });
  }
  for (const name of only === undefined ? Object.keys(libraries) : []) {
    const staging = join(out, `.${name}`);
    await rm(staging, { recursive: true, force: true });
    await mkdir(staging, { recursive: true });
    await layOutLibrary(name, staging);
    tarballs.push(await npmPack(staging, out));
    await rm(staging, { recursive: true, force: true });
  }
  return tarballs;
}

async function layOutPlugin(program, staging) {
  const plugin = await readJson(join(program.folder, "plugin.json"));
  if (plugin.version !== program.manifest.version) {
    const found = `plugin.json says ${plugin.version}, package.json ${program.manifest.version}`;
    throw new Error(`Cannot pack ${program.name}: ${found}, expected one version`);
  }
  await copyFile(join(program.folder, "plugin.json"), join(staging, "plugin.json"));
  await placeLauncher(join(staging, program.name));
}

async function placeLauncher(path) {
  await mkdir(dirname(path), { recursive: true });
  await copyFile(join(root, "tools/launcher.sh"), path);
  await chmod(path, 0o755);
}

async function writePackageFiles(program, name, extra, bundled, staging) {
  const { optionalDependencies } = await readJson(join(root, "package.json"));
  const { version, description, license } = program.manifest;
  const os = ["linux", "darwin"];
  const manifest = { name, version, description, license, type: "module", ...extra, os, optionalDependencies };
  await writeFile(join(staging, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await copyFile(join(root, "LICENSE"), join(staging, "LICENSE"));
  await writeFile(join(staging, "THIRD-PARTY-LICENSES"), await collectLicenses(bundled));
  const readme = join(program.folder, "README.md");
  if (existsSync(readme)) await copyFile(readme, join(staging, "README.md"));
}

/** The licence texts of the npm packages whose code is in the bundle, as their licences ask. */
async function collectLicenses(folders) {
  const parts = [];
  for (const folder of folders) {
    const { name, version, license, repository } = await readJson(join(folder, "package.json"));
    const file = (await readdir(folder)).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
    const text =
      file === undefined ? (repository?.url ?? repository ?? "") : await readFile(join(folder, file), "utf8");
    parts.push(`${name} ${version}, ${license}\n\n${text.trim()}\n`);
  }
  return parts.join(`\n${"-".repeat(80)}\n\n`);
}

async function npmPack(folder, out) {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", out];
  const { stdout } = await promisify(execFile)("npm", args, { cwd: folder, timeout: 120_000 });
  return join(out, JSON.parse(stdout)[0].filename);
}

async function readJson(path) {
  return JSON.parse(await readFile(path, "utf8"));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { out: { type: "string", default: join(root, "dist-packages") } } });
  for (const tarball of await packAll(resolve(values.out))) console.log(tarball);
}
