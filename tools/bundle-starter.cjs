"use strict";
/**
 * Starts "PROGRAM", whose bundle lies beside this file. tools/build.mjs puts this into each bundle and fills in the name.
 *
 * V8 compiles a function when it is called for the first time, which is half of what a short command would do. So what the
 * functions of a run were compiled to is kept, under `$XDG_CACHE_HOME/wfctl/node`, for the next run of the same command.
 * Node's own compile cache is written before anything is called, and holds none of it.
 *
 * A cache only: without it, or where it does not fit, is damaged or belongs to another user, all is compiled as ever, and
 * nothing that goes wrong with it is told. It fits where V8 takes it (its version and flags) and where the file system says
 * that the source is the same: number, size, times of the last write and of the last change.
 */
const {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} = require("node:fs");
const { dirname, isAbsolute, join } = require("node:path");
const { Script, constants } = require("node:vm");
const { crc32 } = require("node:zlib");

const program = "PROGRAM";
const magic = 0x77666331;
const headerStart = 12;
/** Each of that many runs adds what the ones before it did not call: a first one may have been refused early. */
const growingRuns = 4;

const cachePath = findCachePath();
const cache = readCache();
const modules = new Map();
const compiled = new Map();
let isMissing = false;

/** One file for each program and command: what a command does not call would only take time to read. */
function findCachePath() {
  const { NODE_DISABLE_COMPILE_CACHE, NODE_V8_COVERAGE, XDG_CACHE_HOME, HOME } = process.env;
  const base = XDG_CACHE_HOME || (HOME && join(HOME, ".cache"));
  if (NODE_DISABLE_COMPILE_CACHE || NODE_V8_COVERAGE || !base || !isAbsolute(base)) return undefined;
  const word = program === "main" ? (process.argv[2] ?? "") : "";
  const command = /^[a-z]{1,20}$/.test(word) ? `-${word}` : "";
  const place = crc32(__dirname).toString(16);
  return join(base, "wfctl/node", `${process.version}-${process.arch}-${place}-${program}${command}`);
}

function readCache() {
  const nothing = { runs: 0, chunks: new Map() };
  if (cachePath === undefined) return nothing;
  let file;
  try {
    file = openSync(cachePath, "r");
    const { uid, mode } = fstatSync(file);
    if (uid !== process.geteuid() || (mode & 0o022) !== 0) return nothing;
    const bytes = readFileSync(file);
    if (bytes.readUInt32LE(0) !== magic || bytes.readUInt32LE(4) !== crc32(bytes.subarray(8))) return nothing;
    const headerEnd = headerStart + bytes.readUInt32LE(8);
    const { runs, chunks } = JSON.parse(bytes.toString("latin1", headerStart, headerEnd));
    const code = bytes.subarray(align(headerEnd));
    const entries = chunks.map(([name, stamp, from, length]) => [
      name,
      { stamp, code: code.subarray(from, from + length) },
    ]);
    return { runs, chunks: new Map(entries) };
  } catch {
    return nothing;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function stampOf(path) {
  const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
  return `${ino}.${size}.${mtimeNs}.${ctimeNs}`;
}

function load(name) {
  const known = modules.get(name);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  modules.set(name, module);
  const path = join(__dirname, name);
  const stamp = cachePath === undefined ? "" : stampOf(path);
  const text = readFileSync(path, "utf8");
  const kept = cache.chunks.get(name);
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {"use strict";${text}\n})`, {
    filename: path,
    cachedData: kept?.stamp === stamp ? kept.code : undefined,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  // Undefined where there was none, true where V8 did not take it.
  if (script.cachedDataRejected !== false) isMissing = true;
  compiled.set(name, { stamp, script });
  script.runInThisContext()(module.exports, requireHere, module, path, __dirname);
  return module.exports;
}

function requireHere(id) {
  return id.startsWith("./") ? load(id.slice(2)) : require(id);
}
Object.setPrototypeOf(requireHere, require);

function keepCache() {
  const chunks = [...compiled].map(([name, { stamp, script }]) => ({ name, stamp, code: script.createCachedData() }));
  for (const [name, { stamp, code }] of cache.chunks) {
    if (!compiled.has(name) && isSame(name, stamp)) chunks.push({ name, stamp, code });
  }
  let end = 0;
  const table = chunks.map(({ name, stamp, code }) => {
    const from = end;
    end = align(from + code.length);
    return [name, stamp, from, code.length];
  });
  const header = JSON.stringify({ runs: cache.runs + 1, chunks: table });
  const codeStart = align(headerStart + header.length);
  const bytes = Buffer.alloc(codeStart + end);
  bytes.writeUInt32LE(magic, 0);
  bytes.writeUInt32LE(header.length, 8);
  bytes.write(header, headerStart);
  for (const [index, { code }] of chunks.entries()) code.copy(bytes, codeStart + table[index][2]);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  makeFolder(dirname(cachePath));
  // Where two runs write at the same time, the checksum tells.
  writeFileSync(`${cachePath}.new`, bytes, { mode: 0o600 });
  renameSync(`${cachePath}.new`, cachePath);
}

/** Not "recursive": below a file system that says of every new folder that it has no parent, that one never ends. */
function makeFolder(path) {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

/** V8 copies what does not begin at a multiple of eight. */
function align(offset) {
  return (offset + 7) & ~7;
}

function isSame(name, stamp) {
  try {
    return stampOf(join(__dirname, name)) === stamp;
  } catch {
    return false;
  }
}

process.once("exit", (code) => {
  // A run that failed called little of what its command does.
  if (cachePath === undefined || code === 1 || (!isMissing && cache.runs >= growingRuns)) return;
  try {
    keepCache();
  } catch {
    // A read-only home only costs time.
  }
});
load(`${program}.program.js`);
