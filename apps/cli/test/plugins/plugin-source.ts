import { createServer } from "node:http";
import { createHash } from "node:crypto";
import type { AddressInfo } from "node:net";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { makeTarGz, type TestEntry } from "./make-tar.ts";

/** plugin.json of a plugin that is never started. */
export function manifestOf(version: string, more: object = {}): string {
  const capabilities = { iacProvider: { name: "acme", resourceTypes: ["acme.thing"] } };
  const iacServices = ["workflow.plugin.external.iac.IaCProviderRequired"];
  const head = { name: "workflow-plugin-acme", version, author: "a", description: "d", minEngineVersion: "0.85.0" };
  return JSON.stringify({ ...head, iacProvider: { computePlanVersion: "v2" }, iacServices, capabilities, ...more });
}

/** A folder with the plugin. */
export function writePlugin(folder: string, version: string, more: object = {}): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "plugin.json"), manifestOf(version, more));
  writeFileSync(join(folder, "acme"), `#!/bin/sh\necho ${version}\n`);
  chmodSync(join(folder, "acme"), 0o755);
  return folder;
}

/** The plugin as npm packs it. */
export function pluginPackage(version: string, more: readonly TestEntry[] = []): Buffer {
  return makeTarGz([
    { path: "package/package.json", content: JSON.stringify({ name: "@acme/plugin", version }) },
    { path: "package/plugin.json", content: manifestOf(version) },
    { path: "package/acme", content: `#!/bin/sh\necho ${version}\n`, mode: 0o755 },
    ...more,
  ]);
}

/** A registry of npm with one package. Gives its address; `publish` adds a version. */
export async function startRegistry() {
  const tarballs = new Map<string, Buffer>();
  let latest = "";
  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo;
    const tarball = /\/-\/plugin-(.+)\.tgz$/.exec(request.url ?? "")?.[1];
    if (tarball !== undefined) return void response.end(tarballs.get(tarball));
    if (decodeURIComponent(request.url ?? "") !== "/@acme/plugin") return void response.writeHead(404).end("{}");
    const versions = Object.fromEntries(
      [...tarballs].map(([version, bytes]) => [
        version,
        {
          name: "@acme/plugin",
          version,
          dist: {
            tarball: `http://127.0.0.1:${port}/@acme/plugin/-/plugin-${version}.tgz`,
            integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}`,
          },
        },
      ]),
    );
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ name: "@acme/plugin", "dist-tags": { latest }, versions }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    publish(version: string, bytes = pluginPackage(version)) {
      tarballs.set(version, bytes);
      latest = version;
    },
  };
}
