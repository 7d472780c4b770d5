import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WfctlError } from "@wfctl/model";
import { describe, expect, test } from "vitest";
import { unpackArchive, type UnpackLimits } from "../../src/plugins/unpack.ts";
import { makeTarGz, paxHeader, type TestEntry } from "./make-tar.ts";
import { tempFolder } from "./temp-folder.ts";

async function unpack(archive: readonly TestEntry[] | Buffer, limits?: UnpackLimits) {
  const root = tempFolder();
  const [file, folder] = [join(root, "a.tgz"), join(root, "in/deep")];
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, Buffer.isBuffer(archive) ? archive : makeTarGz(archive));
  const error = await unpackArchive(file, folder, limits).then(
    () => undefined,
    (thrown: unknown) => thrown as WfctlError,
  );
  return { root, folder, error };
}

describe("an archive", () => {
  test("is unpacked with its folders, links and executables, other rights left out", async () => {
    const { folder, error } = await unpack([
      { path: "./package/", type: "5" },
      { path: "./package/run", content: "#!/bin/sh\n", mode: 0o4755 },
      { path: "package/data.json", content: "{}", mode: 0o666 },
      { path: "package/dist/main.js", content: "x".repeat(1000), type: "\0" },
      { path: "package/link", type: "2", target: "dist/main.js" },
    ]);
    expect(error).toBeUndefined();
    const modeOf = (path: string): number => lstatSync(join(folder, "package", path)).mode & 0o7777;
    expect([modeOf("run"), modeOf("data.json")]).toEqual([0o755, 0o644]);
    expect(readFileSync(join(folder, "package/dist/main.js"), "utf8")).toHaveLength(1000);
    expect(readlinkSync(join(folder, "package/link"))).toBe("dist/main.js");
  });

  test("may have paths that are longer than a header holds", async () => {
    const [pax, gnu] = ["p".repeat(150), "g".repeat(150)];
    const { folder, error } = await unpack([
      paxHeader({ path: `a/${pax}`, mtime: "1.5" }),
      { path: "short", content: "1" },
      { path: "././@LongLink", type: "L", content: `a/${gnu}\0` },
      { path: "short", content: "2" },
      { path: "after", content: "3" },
    ]);
    expect(error).toBeUndefined();
    expect(readdirSync(join(folder, "a")).toSorted()).toEqual([gnu, pax]);
    expect(readdirSync(folder).toSorted()).toEqual(["a", "after"]);
  });
});

describe("an archive is refused, and nothing outside is touched, when it", () => {
  const outside: [string, TestEntry[]][] = [
    ["names a path above it", [{ path: "../out", content: "x" }]],
    ["names a path above it in the middle", [{ path: "a/../../out", content: "x" }]],
    ["names an absolute path", [{ path: "/tmp/wfctl-out", content: "x" }]],
    ["names such a path in an extended header", [paxHeader({ path: "../out" }), { path: "a", content: "x" }]],
    ["makes a folder above it", [{ path: "../out", type: "5" }]],
    ["links to an absolute path", [{ path: "a", type: "2", target: "/etc" }]],
    ["links above it", [{ path: "a", type: "2", target: "../out" }]],
    [
      "links above it through another link",
      [
        { path: "in/", type: "5" },
        { path: "a", type: "2", target: "in" },
        { path: "in/b", type: "2", target: "../a/../.." },
      ],
    ],
    ["links to nothing", [{ path: "a", type: "2", target: "b" }]],
    [
      "writes through a link",
      [
        { path: "a", type: "2", target: ".." },
        { path: "a/out", content: "x" },
      ],
    ],
    [
      "names one path twice",
      [
        { path: "a", content: "x" },
        { path: "a", content: "y" },
      ],
    ],
    ["holds a hard link", [{ path: "a", type: "1", target: "/etc/passwd" }]],
    ["holds a device", [{ path: "a", type: "3" }]],
    ["holds a pipe", [{ path: "a", type: "6" }]],
  ];
  test.for(outside)("%s", async ([, entries]) => {
    const { root, error } = await unpack(entries);
    expect(error).toMatchObject({ code: "PLUGIN_PACKAGE" });
    expect(error?.message).toContain("a.tgz");
    expect(existsSync(join(root, "out"))).toBe(false);
    expect(existsSync(join(root, "in/out"))).toBe(false);
    expect(existsSync("/tmp/wfctl-out")).toBe(false);
  });

  test.for<[string, readonly TestEntry[] | Buffer, string]>([
    ["is no gzip", Buffer.from("hello"), "is no gzip archive"],
    ["is no tar", makeTarGz([]).subarray(0, 12), "is no gzip archive, or cut off"],
    [
      "ends in the middle of a file",
      makeTarGz([{ path: "a", size: 4096, content: "x" }], { end: false }),
      "is cut off",
    ],
    ["has an impossible size", [paxHeader({ size: "-1" }), { path: "a" }], "impossible size"],
    [
      "has a broken extended header",
      [{ path: "pax", type: "x", content: "99 path=a\n" }, { path: "a" }],
      "broken extended header",
    ],
    ["never comes to its first entry", Array.from({ length: 9 }, () => paxHeader({ path: "a" })), "extended headers"],
  ])("%s", async ([, archive, problem]) => {
    const { error } = await unpack(archive);
    expect(error).toMatchObject({ code: "PLUGIN_PACKAGE" });
    expect(error?.message).toContain(problem);
  });

  test("holds more than it may", async () => {
    const entries = [1, 2, 3].map((n) => ({ path: `f${n}`, content: "x".repeat(100) }));
    expect((await unpack(entries, { maxBytes: 250 })).error?.message).toContain("more than 250 bytes");
    expect((await unpack(entries, { maxEntries: 2 })).error?.message).toContain("more than 2 entries");
    expect((await unpack(entries, { maxBytes: 300, maxEntries: 3 })).error).toBeUndefined();
  });
});
