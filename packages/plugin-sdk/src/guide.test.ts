import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeSpec, iac, plugin, unaryCall } from "@wfctl/contract";
import { expect, onTestFinished, test } from "vitest";
import { startConfigured } from "./testdata/start-plugin.ts";

test("the provider in the guide for authors works as it stands there", async () => {
  const guide = readFileSync(join(import.meta.dirname, "../../../docs/provider-authors.md"), "utf8");
  const source = /^```ts main\.ts\n(.*?)^```$/ms.exec(guide)?.[1];
  // Inside the repository, so that it finds the package by its name.
  const parent = join(import.meta.dirname, "../dist");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "guide-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "library.ts");
  writeFileSync(file, source ?? "");

  const { client } = await startConfigured(file, { room: "reading" });
  const registry = (await unaryCall(client, plugin.PluginService.method.getContractRegistry, {})).response;
  expect(registry.contracts.map(({ serviceName }) => serviceName)).toContain("wfctl.ext.v1.ClientTokens");
  const type = "infra.book";
  const spec = encodeSpec({ name: "moby", type, config: { title: "Moby-Dick" }, dependsOn: [] });
  const { output } = (await unaryCall(client, iac.ResourceDriver.method.create, { resourceType: type, spec })).response;
  expect(output?.providerId).toBe("moby");
  const read = await unaryCall(client, iac.ResourceDriver.method.read, { resourceType: type, ref: { name: "moby" } });
  const diff = await unaryCall(client, iac.ResourceDriver.method.diff, {
    resourceType: type,
    desired: spec,
    current: read.response.output!,
  });
  expect(diff.response.result?.changes).toEqual([]);
});
