import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, test } from "vitest";

/** Names of the packages that a program has loaded after some statements, from a process of its own. */
async function loadedPackages(statements: string): Promise<string[]> {
  const index = fileURLToPath(new URL("index.ts", import.meta.url));
  const program = `
    import { createRequire } from "node:module";
    const host = await import(${JSON.stringify(index)});
    ${statements}
    console.log(JSON.stringify(Object.keys(createRequire(import.meta.url).cache)));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  const paths = JSON.parse(stdout) as string[];
  return [...new Set(paths.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path))];
}

test("gRPC is not loaded before a plugin is started", async () => {
  const pool = `const pool = host.createProviderPool({ modules: [{ name: "a", provider: "a", config: {} }], pluginDir: "/no/such" });`;
  expect(await loadedPackages(`${pool} host.listPlugins({ pluginDir: "/no/such" });`)).not.toContain("@grpc/grpc-js");
  expect(await loadedPackages(`${pool} await pool.configureProvider("a", {}).catch(() => {});`)).not.toContain(
    "@grpc/grpc-js",
  );
  // The same question has the other answer once the part is loaded that talks to plugins.
  const load = JSON.stringify(new URL("load.ts", import.meta.url).href);
  expect(await loadedPackages(`await import(${load});`)).toContain("@grpc/grpc-js");
});
