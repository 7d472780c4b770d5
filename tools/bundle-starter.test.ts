import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, readdir, realpath, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const starter = fileURLToPath(new URL("bundle-starter.cjs", import.meta.url));
const runFile = promisify(execFile);

let root = "";
let dist = "";
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "wfctl-starter-")));
  dist = join(root, "dist");
  await mkdir(dist);
  await writeFile(join(dist, "package.json"), '{"type":"commonjs"}');
  await writeFile(join(dist, "main.js"), (await readFile(starter, "utf8")).replaceAll("PROGRAM", "main"));
  await writeFile(
    join(dist, "main.program.js"),
    `const { say } = require("./word.js");
     process.exitCode = Number(process.env.CODE ?? 0);
     process.stdout.write(say() + (process.env.MORE ? require("./more.js").more() : ""));`,
  );
  await writeWord("first");
  await writeFile(join(dist, "more.js"), `exports.more = () => " and more";`);
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** All words have five letters: V8 itself compares no more of a source than its length. */
async function writeWord(word: string): Promise<void> {
  await writeFile(join(dist, "word.js"), `exports.say = () => "${word}";`);
}

async function run(env: NodeJS.ProcessEnv = {}, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await runFile(process.execPath, [join(dist, "main.js"), ...args], {
    env: { XDG_CACHE_HOME: join(root, "cache"), ...env },
    timeout: 60_000,
  });
  expect(stderr).toBe("");
  return stdout;
}

async function caches(): Promise<string[]> {
  const names = await readdir(join(root, "cache/wfctl/node")).catch(() => []);
  return names.map((name) => name.replace(/^v[\d.]+-\w+-[0-9a-f]+-/, "")).toSorted();
}

async function cacheFile(): Promise<string> {
  const [name = "", ...more] = await readdir(join(root, "cache/wfctl/node"));
  expect(more).toEqual([]);
  return join(root, "cache/wfctl/node", name);
}

test.runIf(process.platform === "linux")(
  "a folder in which nothing can be made costs the cache and nothing else",
  async () => {
    expect(await run({ XDG_CACHE_HOME: "/proc/self/fd" })).toBe("first");
  },
);

/** Makes the cache say that it belongs to the word.js that is there now, as nothing but a forger would. */
async function passOffAsCurrent(): Promise<void> {
  const path = await cacheFile();
  const bytes = await readFile(path);
  const { ino, size, mtimeNs, ctimeNs } = await stat(join(dist, "word.js"), { bigint: true });
  const text = bytes.toString("latin1");
  const forged = text.replace(/(?<="word\.js",")[^"]*/, `${ino}.${size}.${mtimeNs}.${ctimeNs}`);
  expect(forged).not.toBe(text);
  const changed = Buffer.from(forged, "latin1");
  // Inodes and times keep their number of digits, so that the length of the header stays.
  expect(changed.length).toBe(bytes.length);
  changed.writeUInt32LE(crc32(changed.subarray(8)), 4);
  await writeFile(path, changed);
}

describe("what a run has compiled", () => {
  test("is what the next run executes", async () => {
    expect(await run()).toBe("first");
    await writeWord("other");
    await passOffAsCurrent();
    expect(await run()).toBe("first");
  });

  test("is refused where others may write the file", async () => {
    await run();
    await writeWord("other");
    await passOffAsCurrent();
    await chmod(await cacheFile(), 0o660);
    expect(await run()).toBe("other");
  });

  test("is refused when a byte of it has changed, and written again", async () => {
    await run();
    await writeWord("other");
    await passOffAsCurrent();
    const path = await cacheFile();
    const bytes = await readFile(path);
    for (const at of [0, 5, 9, 13, bytes.length >> 1, bytes.length - 1]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      await writeFile(path, damaged);
      expect(await run()).toBe("other");
    }
    for (const length of [0, 3, 11, 40, bytes.length - 1]) {
      await writeFile(path, bytes.subarray(0, length));
      expect(await run()).toBe("other");
    }
  });

  test("is refused when the source was written again with its size and its time", async () => {
    await run();
    const { atime, mtime } = await stat(join(dist, "word.js"));
    await writeWord("other");
    await utimes(join(dist, "word.js"), atime, mtime);
    expect(await run()).toBe("other");
    expect(await run()).toBe("other");
  });

  test("is kept for this user alone, for each command apart, and not for what is no command's name", async () => {
    await run({}, "plan", "-e", "prod");
    await run({}, "apply");
    await run({}, "--help");
    await run({}, "../plan");
    expect(await caches()).toEqual(["main", "main-apply", "main-plan"]);
    const folder = join(root, "cache/wfctl/node");
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  });

  test("is not kept of a run that failed", async () => {
    await expect(run({ CODE: "1" }, "paln")).rejects.toMatchObject({ code: 1 });
    expect(await caches()).toEqual([]);
    await expect(run({ CODE: "2" }, "plan")).rejects.toMatchObject({ code: 2 });
    expect(await caches()).toEqual(["main-plan"]);
  });

  test("is added to by the first runs, and later by one that loads another file", async () => {
    const versions: string[] = [];
    const look = async () => void versions.push((await readFile(await cacheFile())).toString("latin1"));
    for (let count = 1; count <= 6; count += 1) {
      expect(await run()).toBe("first");
      await look();
    }
    expect(versions.map((text) => /"runs":(\d+)/.exec(text)?.[1])).toEqual(["1", "2", "3", "4", "4", "4"]);
    expect(await run({ MORE: "1" })).toBe("first and more");
    await look();
    expect(await run()).toBe("first");
    await look();
    expect(versions.at(-1)).toBe(versions.at(-2));
    expect(versions.at(-1)).toContain("more.js");
  });

  test("stays away where Node's cache is turned off or there is no folder for it, without a word", async () => {
    expect(await run({ NODE_DISABLE_COMPILE_CACHE: "1" })).toBe("first");
    expect(await run({ XDG_CACHE_HOME: "" })).toBe("first");
    expect(await run({ XDG_CACHE_HOME: "relative" })).toBe("first");
    expect(await caches()).toEqual([]);
    await writeFile(join(root, "cache"), "a file where the folder should be");
    expect(await run()).toBe("first");
  });
});

test("runs the files in strict mode, once each, even in a circle, and names them in traces", async () => {
  await writeFile(
    join(dist, "main.program.js"),
    `exports.own = "own";
     const other = require("./word.js");
     const trace = other.fail().stack;
     process.stdout.write(JSON.stringify([other.own, (function () { return this === undefined; })(), /word\\.js:\\d+/.test(trace)]));`,
  );
  await writeFile(
    join(dist, "word.js"),
    `exports.own = require("./main.program.js").own;\nexports.fail = () => new Error("here");`,
  );
  expect(JSON.parse(await run())).toEqual(["own", true, true]);
});
