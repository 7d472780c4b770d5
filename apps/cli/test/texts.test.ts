import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runInside } from "./run-inside.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wfctl-texts-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const write = (text: string): Promise<void> => writeFile(join(folder, "infra.yaml"), text);

test("a missing import is no missing stack file", async () => {
  await write("imports: [network.yaml]\nmodules: []\n");
  const { code, stderr } = await runInside(folder, "plan");
  expect(code).toBe(1);
  expect(stderr).toContain('The imported file "network.yaml" does not exist');
  expect(stderr).not.toContain("there is no stack file");
  expect(stderr).not.toContain("Write infra.yaml");
});

test("a missing file of variables is no missing stack file", async () => {
  await write("modules: []\n");
  const { code, stderr } = await runInside(folder, "plan", "--var-file", "vars.yaml");
  expect(code).toBe(1);
  expect(stderr).toContain('The file of --var-file "vars.yaml" does not exist');
  expect(stderr).not.toContain("there is no stack file");
});

test("a missing stack file is told as such", async () => {
  const { code, stderr } = await runInside(folder, "plan");
  expect(code).toBe(1);
  expect(stderr).toContain("there is no stack file (CONFIG_NOT_FOUND)");
});

test("an output of the stack that has no value after an apply is told of", async () => {
  await write(`name: shop
modules:
- {name: here, type: iac.provider, config: {provider: local}}
- {name: one, type: infra.storage, config: {files: {a.txt: {content: "1"}}}}
- {name: two, type: infra.storage, config: {files: {a.txt: {content: "2"}}}}
outputs: {first: "\${one.id}", second: "\${two.id}"}
`);
  const half = await runInside(folder, "apply", "-y", "--include", "one");
  expect(half.stderr).toContain('Output "second" of the stack has no value');
  expect(half.stdout).toContain("first");
  expect(half.code).toBe(0);
  const whole = await runInside(folder, "apply", "-y");
  expect(whole.stderr).not.toContain("has no value");
  expect(whole.stdout).toContain("second");
  expect(whole.code).toBe(0);
});

test("an apply whose state cannot be made leaves no key behind and announces none", async () => {
  await write("modules: []\n");
  // A file where the folder of the state must be: root cannot make it either.
  const inTheWay = join(folder, ".wfctl");
  await writeFile(inTheWay, "");
  const { code, stderr } = await runInside(folder, "apply", "-y");
  expect(code).toBe(1);
  expect(stderr).not.toContain("A new key");
  expect(await readdir(join(folder, "config/wfctl/keys")).catch(() => [])).toEqual([]);
  await rm(inTheWay);
  expect((await runInside(folder, "apply", "-y")).stderr.split("A new key")).toHaveLength(2);
  expect(await readdir(join(folder, "config/wfctl/keys"))).toHaveLength(1);
});

test("each plugin that is missing is told, at the module that needs it", async () => {
  await write(`modules:
- {name: one, type: iac.provider, config: {provider: nowhere}}
- {name: two, type: iac.provider, config: {provider: elsewhere}}
- {name: a, type: infra.storage, config: {provider: one}}
- {name: b, type: infra.storage, config: {provider: two}}
`);
  const { code, stderr } = await runInside(folder, "plan");
  expect(code).toBe(1);
  expect(stderr).toContain('Error infra.yaml:2:3: No installed plugin serves provider "nowhere"');
  expect(stderr).toContain('Error infra.yaml:3:3: No installed plugin serves provider "elsewhere"');
  expect(stderr).toContain("2 providers cannot be used");
});

test("help on a command of upstream says what takes its place", async () => {
  const { code, stderr } = await runInside(folder, "help", "align");
  expect(code).toBe(1);
  expect(stderr).toContain('"wfctl align" is a command of upstream that is not served');
  expect(stderr).toContain("wfctl plan checks the stack file");
});

test("a change of a secret value is told as that of a secret", async () => {
  const stack = (note: string): string =>
    `modules:\n- {name: here, type: iac.provider, config: {provider: local}}\n- {name: a, type: infra.storage, config: {files: {k: {content: "\${KEY}${note}"}}}}\nsecretStores: {s: {provider: file, config: {path: s}}}\nsecrets: {entries: [{name: KEY, store: s}]}\n`;
  await mkdir(join(folder, "s"));
  await writeFile(join(folder, "s/KEY"), "hunter22");
  await write(stack(""));
  expect(await runInside(folder, "apply", "-y")).toMatchObject({ code: 0 });
  await write(stack("!"));
  const { stdout } = await runInside(folder, "plan");
  expect(stdout).toContain("files.k.content: (sensitive) → (sensitive)");
  expect(stdout).not.toContain("(not set)");
  await runInside(folder, "destroy", "-y");
});

test("modules that are commented out are no empty stack", async () => {
  await write("modules:\n# - {name: a, type: infra.storage}\n");
  const { code, stderr } = await runInside(folder, "apply", "-y");
  expect(code).toBe(1);
  expect(stderr).toContain("The configuration has no modules");
  expect(stderr).toContain("an empty list is a stack without resources");
});

test("a file where the folder of the state should be is told as the state's place, by a plan as well", async () => {
  await write(
    "modules:\n- {name: s, type: iac.state, config: {backend: filesystem, directory: infra.yaml}}\n- {name: here, type: iac.provider, config: {provider: local}}\n",
  );
  const { code, stderr } = await runInside(folder, "plan");
  expect(code).toBe(1);
  expect(stderr).toContain("(STORE_UNAVAILABLE)");
  expect(stderr).toContain("ENOTDIR");
  expect(stderr).not.toContain("a defect of wfctl");
});
