import { readFileSync, writeFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { startLanguageServer } from "../../packages/config/src/testing/language-server.ts";
import { createSandbox } from "./lib/sandbox.ts";

const head = "name: shop\nmodules:\n  - {name: here, type: iac.provider, config: {provider: local}}\n";

test("an editor with the schema that wfctl writes offers the keys of a storage, and marks those that it does not have", async () => {
  const box = createSandbox();
  writeFileSync(box.path("infra.yaml"), head);
  expect(await box.run("schema", "-o", "written.json")).toMatchObject({ code: 0 });
  const editor = await startLanguageServer(box.directory, readFileSync(box.path("written.json"), "utf8"));
  onTestFinished(() => editor.end());
  const storage = `${head}  - name: site\n    type: infra.storage\n    config:\n`;
  const { labels } = await editor.open("keys.yaml", `${storage}      path: /tmp/site\n      |\n`);
  expect(labels).toEqual(expect.arrayContaining(["mode", "files", "force_destroy"]));
  const wrong = await editor.open("wrong.yaml", `${storage}      filez: {}\n`);
  expect(wrong.problems.join("\n")).toContain("filez");
  const good = await editor.open("good.yaml", `${storage}      files: {index.html: {content: hello}}\n`);
  expect(good.problems).toEqual([]);
  const types = await editor.open("types.yaml", `${head}  - name: site\n    type: |\n`);
  expect(types.labels).toEqual(expect.arrayContaining(["infra.storage", "infra.container_service"]));
});
