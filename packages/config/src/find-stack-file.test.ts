import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadStack } from "./load-stack.ts";
import { defaultStackName } from "./find-stack-file.ts";
import { lineOf } from "./testing/load-text.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wfctl-config-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function write(path: string, text: string): Promise<void> {
  await mkdir(join(folder, path, ".."), { recursive: true });
  await writeFile(join(folder, path), text);
}
const nameOf = async (path?: string): Promise<string | undefined> =>
  (await loadStack({ cwd: folder, env: {}, ...(path === undefined ? {} : { path }) })).stack?.name;
const diagnose = async (path?: string): Promise<string[]> =>
  (await loadStack({ cwd: folder, env: {}, ...(path === undefined ? {} : { path }) })).diagnostics.map(lineOf);

describe("the search for the stack file", () => {
  test("prefers infra.yaml over config/infra.yaml", async () => {
    await write("config/infra.yaml", "name: second\nmodules: []\n");
    expect(await nameOf()).toBe("second");
    await write("infra.yaml", "name: first\nmodules: []\n");
    expect(await nameOf()).toBe("first");
  });

  test("never passes over a path that is given", async () => {
    await write("infra.yaml", "name: first\nmodules: []\n");
    await write("other.yaml", "name: other\nmodules: []\n");
    expect(await nameOf("other.yaml")).toBe("other");
    expect(await diagnose("missing.yaml")).toEqual([
      `CONFIG_NOT_FOUND missing.yaml: There is no stack file at "${folder}/missing.yaml" (Check the path)`,
    ]);
  });

  test("looks inside a folder that is given", async () => {
    await write("stacks/one/config/infra.yaml", "modules: []\n");
    expect(await nameOf("stacks/one")).toBe("one");
  });

  test("says where it looked", async () => {
    expect(await diagnose()).toEqual([
      `CONFIG_NOT_FOUND: There is no stack file: looked for "${folder}/infra.yaml", "${folder}/infra.ts", "${folder}/config/infra.yaml" and "${folder}/config/infra.ts" (Write infra.yaml or infra.ts there, or name the file with --config)`,
    ]);
  });

  test("refuses to choose between two", async () => {
    await write("infra.yaml", "modules: []\n");
    await write("infra.ts", "export default {}");
    expect((await diagnose()).join()).toContain(
      `There are two stack files: "${folder}/infra.yaml" and "${folder}/infra.ts"`,
    );
  });
});

describe("the default name of a stack", () => {
  test("is the folder's, however the file was found", async () => {
    await write("shop/config/infra.yaml", "modules: []\n");
    expect(await nameOf("shop")).toBe("shop");
    expect(await nameOf("shop/config/infra.yaml")).toBe("shop");
  });

  test.each([
    ["/a/my shop/infra.yaml", "my-shop"],
    ["/a/.hidden/infra.yaml", "hidden"],
    ["/a/v1.2_x/infra.yaml", "v1.2_x"],
    ["/infra.yaml", ""],
    ["/config/infra.yaml", ""],
  ])("of %s is %j", (path, name) => {
    expect(defaultStackName(path)).toBe(name);
  });

  test("that is empty is an error", async () => {
    const { diagnostics } = await loadStack({ cwd: "/", path: "/infra.yaml", readFile: async () => "modules: []\n" });
    expect(diagnostics.map(lineOf)).toEqual([
      "CONFIG_INVALID infra.yaml:1:1: The stack has no name: its folder gives none (Write name: at the top of the file)",
    ]);
  });
});
