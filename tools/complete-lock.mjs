/**
 * Adds to package-lock.json the platform packages that this machine's registry does not serve: `npm run lock`, after
 * every change of dependencies. npm leaves such a package out of the lock, and `npm ci` then refuses the lock, here and
 * on the platform that has the package. Their version is the one that the package above them asks for; their platform
 * stands in their name. They carry no checksum. Plain JavaScript: it mends what `npm ci` needs to run.
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const systems = ["darwin", "linux", "win32", "android", "freebsd", "netbsd", "openbsd", "sunos", "openharmony", "aix"];
const processors = { aarch64: "arm64", x86_64: "x64", armv7: "arm" };
for (const cpu of ["arm64", "x64", "arm", "ia32", "ppc64", "riscv64", "s390x", "loong64", "wasm32"])
  processors[cpu] = cpu;

/**
 * @param {Record<string, any>} packages  the `packages` of a lock, changed in place
 * @returns {string[]} what was added, as name@version
 */
export function addMissingPlatforms(packages) {
  const added = [];
  for (const [from, { optionalDependencies = {} }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      const found = resolveFrom(packages, from, name);
      if (found?.version === version || (found !== undefined && /^[~^]/.test(version))) continue;
      const top = `node_modules/${name}`;
      packages[top in packages ? `${from}/${top}` : top] = {
        version: exact(name, version),
        ...platformOf(name),
        optional: true,
      };
      added.push(`${name}@${version}`);
    }
  }
  return added;
}

/** The entry that Node finds when the package at `from` asks for `name`. */
function resolveFrom(packages, from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("node_modules/") - 1))) {
    const found = packages[at === "" ? `node_modules/${name}` : `${at}/node_modules/${name}`];
    if (found !== undefined || at === "") return found;
  }
}

/** An exact version, also for a range that begins at one. */
function exact(name, version) {
  const found = /^[~^]?(\d+\.\d+\.\d+(-[\w.]+)?)$/.exec(version)?.[1];
  if (found === undefined)
    throw new Error(`Cannot complete the lock: ${name} is asked for as "${version}", expected a version`);
  return found;
}

function platformOf(name) {
  const words = name.split(/[-/.]/);
  const os = words.find((word) => systems.includes(word));
  const cpu = words.find((word) => Object.hasOwn(processors, word));
  if (os === undefined && cpu === undefined)
    throw new Error(`Cannot complete the lock: "${name}" does not name a platform`);
  return { ...(os && { os: [os] }), ...(cpu && { cpu: [processors[cpu]] }) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = process.argv[2] ?? fileURLToPath(new URL("../package-lock.json", import.meta.url));
  const lock = JSON.parse(await readFile(file, "utf8"));
  const added = addMissingPlatforms(lock.packages);
  const [root, ...others] = Object.entries(lock.packages);
  lock.packages = Object.fromEntries([root, ...others.sort(([a], [b]) => a.localeCompare(b, "en"))]);
  await writeFile(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(added.length === 0 ? "The lock is complete" : `Added ${added.join(", ")}`);
}
