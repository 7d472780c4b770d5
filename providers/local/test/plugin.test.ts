import { existsSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { createPluginProvider } from "@wfctl/plugin-host";
import { expect, test } from "vitest";
import { manifestText } from "../src/write-manifest.ts";
import { startLocal } from "./testdata/host.ts";

const folder = join(import.meta.dirname, "..");

test("plugin.json is what the provider's definition says; the launcher is the repository's own, executable", async () => {
  expect(JSON.parse(readFileSync(join(folder, "plugin.json"), "utf8"))).toEqual(JSON.parse(await manifestText()));
  expect(readFileSync(join(folder, "local"), "utf8")).toBe(
    readFileSync(join(folder, "../../tools/launcher.sh"), "utf8"),
  );
  expect(statSync(join(folder, "local")).mode & 0o111).toBe(0o111);
});

test("the identity is the machine and the real path of the root", async () => {
  const { provider, root, folder: place } = await startLocal();
  expect(provider.identity).toBe(`local:${hostname()}:${root}`);
  expect(existsSync(root)).toBe(false);
  symlinkSync(place, join(place, "link"));
  const linked = await createPluginProvider({
    pluginDir: join(folder, ".."),
    module: "linked",
    provider: "local",
    config: { root: join(place, "link", "root") },
  });
  expect(linked.identity).toBe(provider.identity);
  await linked.shutdown();
});

test("all that our host can make use of is there", async () => {
  const { provider } = await startLocal();
  expect(provider.features).toMatchObject({
    drivers: true,
    clientTokens: true,
    lookup: true,
    stop: true,
    readsInputs: true,
  });
  expect(provider.resourceTypes).toEqual(["infra.container_service", "infra.storage"]);
  for (const type of provider.resourceTypes) {
    expect(provider.traits(type)).toMatchObject({ lookup: true, convergentCreate: true });
  }
});

test("a relative root and unknown keys are refused", async () => {
  const start = (config: { [key: string]: string }) =>
    createPluginProvider({ pluginDir: join(folder, ".."), module: "here", provider: "local", config });
  await expect(start({ root: "somewhere", rot: "x" })).rejects.toMatchObject({
    code: "PLUGIN_INITIALIZE",
    message: expect.stringMatching(/root: expected an absolute path.*rot: unknown key, did you mean "root"/),
  });
});
