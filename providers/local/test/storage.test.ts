import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listAll, options, refOf, specOf, startLocal, type Config } from "./testdata/host.ts";

const type = "infra.storage";
const spec = specOf(type);
const ref = refOf(type);
const owned = { ...options, owner: "lineage/web", clientToken: "token-1" };
const config: Config = {
  provider: "here",
  mode: "0750",
  files: {
    "index.html": { content: "<h1>hello</h1>\n" },
    "data/key.bin": { content_base64: "AAEC/w==", mode: "0600" },
  },
};
const quiet = { needsUpdate: false, needsReplace: false, changes: [] };
const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

test("create makes the directory with its files and permissions, and the diff after it is quiet", async () => {
  const { provider, root } = await startLocal();
  const made = await provider.create(spec("web", config), owned);
  const path = made.providerId;
  expect(path.startsWith(join(root, "storage", "web-"))).toBe(true);
  expect(made.outputs).toEqual({ id: path, name: "web", path, url: `file://${path}` });
  expect(made).toMatchObject({ created: true, owner: "lineage/web", status: "running" });
  expect(mode(path)).toBe("750");
  expect(readFileSync(join(path, "index.html"), "utf8")).toBe("<h1>hello</h1>\n");
  expect([...readFileSync(join(path, "data/key.bin"))]).toEqual([0, 1, 2, 255]);
  expect([mode(join(path, "index.html")), mode(join(path, "data/key.bin"))]).toEqual(["644", "600"]);
  const read = await provider.read(ref("web", path), options);
  expect(await provider.diff(spec("web", config), read!, options)).toEqual(quiet);
  expect(await provider.diff(spec("web", config), { ...made, inputs: config }, options)).toEqual(quiet);
});

test("update writes what changed, removes what is not wanted any more, and leaves the rest alone", async () => {
  const { provider } = await startLocal();
  const { providerId: path } = await provider.create(spec("web", config), owned);
  writeFileSync(join(path, "by-hand.txt"), "mine");
  const before = statSync(join(path, "index.html")).ino;
  const changed: Config = {
    mode: "0700",
    files: { "index.html": { content: "<h1>hello</h1>\n", mode: "0640" }, "new.txt": { content: "n" } },
  };
  const diff = await provider.diff(spec("web", changed), (await provider.read(ref("web", path), options))!, options);
  expect(diff).toMatchObject({ needsUpdate: true, needsReplace: false });
  expect(diff.changes.map((change) => change.path)).toEqual([
    "mode",
    "files.index.html.mode",
    "files.new.txt",
    "files.data/key.bin",
  ]);
  await provider.update(ref("web", path), spec("web", changed), owned);
  expect(listAll(path)).toEqual([".wfctl-owner.json", "by-hand.txt", "index.html", "new.txt"]);
  expect([mode(path), mode(join(path, "index.html"))]).toEqual(["700", "640"]);
  expect(statSync(join(path, "index.html")).ino).toBe(before);
});

test("drift shows: content, permissions and presence are read from the disk", async () => {
  const { provider } = await startLocal();
  const { providerId: path } = await provider.create(spec("web", config), owned);
  writeFileSync(join(path, "index.html"), "defaced");
  chmodSync(path, 0o777);
  rmSync(join(path, "data"), { recursive: true });
  const read = await provider.read(ref("web", path), options);
  expect(read?.inputs).toMatchObject({ mode: "0777", files: { "index.html": { content: "defaced" } } });
  const { changes } = await provider.diff(spec("web", config), read!, options);
  expect(changes.map((change) => change.path)).toEqual(["mode", "files.index.html.content", "files.data/key.bin"]);
  await provider.update(ref("web", path), spec("web", config), owned);
  const repaired = await provider.read(ref("web", path), options);
  expect(await provider.diff(spec("web", config), repaired!, options)).toEqual(quiet);
});

test("delete leaves nothing, and deleting what is gone is fine", async () => {
  const { provider, root } = await startLocal();
  const { providerId: path } = await provider.create(spec("web", config), owned);
  await provider.delete(ref("web", path), owned);
  expect(listAll(root)).toEqual([]);
  expect(await provider.read(ref("web", path), options)).toBeUndefined();
  await expect(provider.delete(ref("web", path), owned)).resolves.toBeUndefined();
});

test("a path of the user's own is honoured, and delete takes away the folders that were made for it", async () => {
  const { provider, folder, root } = await startLocal();
  const path = join(folder, "a/b/site");
  const wanted = { ...config, path: `${path}/` };
  const made = await provider.create(spec("web", wanted), owned);
  expect(made.providerId).toBe(path);
  expect(await provider.diff(spec("web", wanted), made, options)).toEqual(quiet);
  const moved = await provider.diff(spec("web", { ...config, path: join(folder, "other") }), made, options);
  expect(moved).toMatchObject({ needsReplace: true, changes: [{ path: "path", forceNew: true }] });
  expect((await provider.lookup(type, "token-1", "web", options))?.providerId).toBe(path);
  await provider.delete(ref("web", path), owned);
  expect(existsSync(join(folder, "a"))).toBe(false);
  expect(listAll(root)).toEqual([]);
});

test("files that wfctl did not write keep the directory from being deleted, unless force_destroy was applied", async () => {
  const { provider } = await startLocal();
  const { providerId: path } = await provider.create(spec("web", config), owned);
  for (const name of ["a", "b", "c", "d"]) writeFileSync(join(path, name), "mine");
  await expect(provider.delete(ref("web", path), owned)).rejects.toMatchObject({
    class: "validation",
    message: expect.stringMatching(/did not write \("a", "b", "c" and 1 more\).*force_destroy/),
  });
  expect(existsSync(join(path, "index.html"))).toBe(true);
  await provider.update(ref("web", path), spec("web", { ...config, force_destroy: true }), owned);
  await provider.delete(ref("web", path), owned);
  expect(existsSync(path)).toBe(false);
});

test("a file of the same name that wfctl did not write is not overwritten", async () => {
  const { provider } = await startLocal();
  const { providerId: path } = await provider.create(spec("web", { files: {} }), owned);
  writeFileSync(join(path, "notes.txt"), "mine");
  const wanted = { files: { "notes.txt": { content: "theirs" } } };
  await expect(provider.update(ref("web", path), spec("web", wanted), owned)).rejects.toMatchObject({
    class: "validation",
  });
  expect(readFileSync(join(path, "notes.txt"), "utf8")).toBe("mine");
  await provider.update(ref("web", path), spec("web", { ...wanted, force_destroy: true }), owned);
  expect(readFileSync(join(path, "notes.txt"), "utf8")).toBe("theirs");
});

test("no file is written through a link that leads out of the directory", async () => {
  const { provider, folder } = await startLocal();
  const { providerId: path } = await provider.create(spec("web", { files: {} }), owned);
  mkdirSync(join(folder, "outside"));
  symlinkSync(join(folder, "outside"), join(path, "link"));
  const wanted = { files: { "link/x.txt": { content: "x" } }, force_destroy: true };
  await expect(provider.update(ref("web", path), spec("web", wanted), owned)).rejects.toMatchObject({
    class: "validation",
  });
  expect(listAll(join(folder, "outside"))).toEqual([]);
  await expect(
    provider.create(spec("bad", { files: { "../x.txt": { content: "x" } } }), {
      ...owned,
      owner: "lineage/bad",
      clientToken: "t2",
    }),
  ).rejects.toMatchObject({ class: "validation", message: expect.stringContaining("relative path") });
});

test.runIf(process.platform === "linux")("a path below which nothing can be made is refused at once", async () => {
  const { provider } = await startLocal();
  const made = provider.create(spec("web", { ...config, path: "/proc/self/fd/wfctl/web" }), owned);
  await expect(made).rejects.toThrow(/Cannot create directory "\/proc\/self\/fd\/wfctl\/web"/);
});

test("create again with the same token gives the same directory; another token meets an existing one", async () => {
  const { provider } = await startLocal();
  const first = await provider.create(spec("web", config), owned);
  rmSync(join(first.providerId, "index.html"));
  const second = await provider.create(spec("web", config), owned);
  expect(second).toMatchObject({ providerId: first.providerId, created: false });
  expect(existsSync(join(first.providerId, "index.html"))).toBe(true);
  await expect(provider.create(spec("web", config), { ...owned, clientToken: "token-2" })).rejects.toMatchObject({
    class: "already_exists",
  });
});

test("what is there and not ours is never taken over by create, but can be adopted by its path", async () => {
  const { provider, folder } = await startLocal();
  const path = join(folder, "theirs");
  mkdirSync(path);
  const wanted = { path, files: { "a.txt": { content: "a" } } };
  await expect(provider.create(spec("web", wanted), owned)).rejects.toMatchObject({ class: "already_exists" });
  expect(listAll(path)).toEqual([]);
  const found = await provider.read(ref("web", path), options);
  expect(found?.owner).toBeUndefined();
  const { changes } = await provider.diff(spec("web", wanted), found!, options);
  expect(changes.map((change) => change.path)).toEqual(["files.a.txt"]);
  await provider.update(ref("web", path), spec("web", wanted), owned);
  expect((await provider.read(ref("web", path), options))?.owner).toBe("lineage/web");
  expect((await provider.read(ref("web", ""), owned))?.providerId).toBe(path);
  await provider.delete(ref("web", path), owned);
  expect(existsSync(path)).toBe(false);
});

test("the same name in two stacks makes two directories, told apart by the mark", async () => {
  const { provider } = await startLocal();
  const other = { ...options, owner: "other/web", clientToken: "token-2" };
  const mine = await provider.create(spec("web", config), owned);
  const theirs = await provider.create(spec("web", config), other);
  expect(theirs.providerId).not.toBe(mine.providerId);
  expect((await provider.read(ref("web", ""), owned))?.providerId).toBe(mine.providerId);
  expect((await provider.read(ref("web", ""), other))?.providerId).toBe(theirs.providerId);
  await expect(provider.read(ref("web", ""), options)).rejects.toMatchObject({
    class: "validation",
    message: expect.stringContaining("Several directories"),
  });
});

test("input that makes no sense is refused with its paths", async () => {
  const { provider } = await startLocal();
  const bad = {
    mode: "rwx",
    files: { a: { content: "x", content_base64: "eA==" }, ".wfctl-owner.json": { content: "x" } },
    pth: "x",
  };
  await expect(provider.create(spec("web", bad), owned)).rejects.toMatchObject({
    class: "validation",
    message: expect.stringMatching(
      /mode: expected octal.*files\.a: .*exclude each other.*files\.\.wfctl-owner\.json: .*belongs to wfctl.*pth: unknown key, did you mean "path"/,
    ),
  });
  const portable = { versioning: true, encryption: "AES256", region: "eu", files: {} };
  const made = await provider.create(spec("web", portable), owned);
  expect(await provider.diff(spec("web", portable), made, options)).toEqual(quiet);
});

test("permissions that shut the owner out can be applied and left again", async () => {
  const { provider } = await startLocal();
  const { providerId: path } = await provider.create(spec("web", { ...config, mode: "0500" }), owned);
  expect(mode(path)).toBe("500");
  await provider.update(ref("web", path), spec("web", { files: {}, mode: "0500" }), owned);
  await provider.delete(ref("web", path), owned);
  expect(existsSync(path)).toBe(false);
});

test("creates and deletes beside each other do not take each other's folders away", async () => {
  const { provider, root } = await startLocal();
  const churn = async (worker: number): Promise<void> => {
    for (let round = 0; round < 10; round += 1) {
      const meta = { ...options, owner: `lineage/w${worker}`, clientToken: `${worker}-${round}` };
      const made = await provider.create(spec(`w${worker}`, { files: { a: { content: "a" } } }), meta);
      await provider.delete(ref(`w${worker}`, made.providerId), meta);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, worker) => churn(worker)));
  expect(listAll(root)).toEqual([]);
});
