import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loadStack } from "./load-stack.ts";
import type { StackConfig } from "./stack.ts";
import { lineOf } from "./testing/load-text.ts";

const testdata = fileURLToPath(new URL("testdata", import.meta.url));

async function load(
  folder: string,
  environment: string | undefined,
  env: Record<string, string> = {},
): Promise<StackConfig> {
  const cwd = `${testdata}/${folder}`;
  const { stack, diagnostics } = await loadStack({ cwd, env, ...(environment === undefined ? {} : { environment }) });
  expect(diagnostics.map(lineOf)).toEqual([]);
  if (stack === undefined) throw new Error("no stack");
  return stack;
}

const names = (stack: StackConfig): string[] => stack.resources.map((resource) => resource.name);
const find = (stack: StackConfig, name: string): StackConfig["resources"][number] => {
  const resource = stack.resources.find((candidate) => candidate.name === name);
  if (resource === undefined) throw new Error(`no resource ${name}`);
  return resource;
};

describe("a small stack of upstream's shape", () => {
  test("is read whole, with its import", async () => {
    const stack = await load("orders", "staging");
    expect(stack.name).toBe("orders");
    expect(stack.environment).toBe("staging");
    expect(stack.environments).toEqual(["staging", "prod"]);
    expect(stack.autoBootstrap).toBe(false);
    expect(stack.files).toEqual([`${testdata}/orders/infra.yaml`, `${testdata}/orders/network.yaml`]);
    expect(stack.providers.at(-1)).toEqual({
      name: "wfctl.secrets",
      provider: "wfctl.secrets",
      config: { stores: { file: { provider: "file", config: { path: "./.secrets" } } }, route: "file" },
    });
    expect(stack.providers.slice(0, -1)).toEqual([
      {
        name: "p",
        provider: "fake",
        config: { provider: "fake" },
        source: { file: "infra.yaml", line: 19, column: 5 },
      },
    ]);
    expect(stack.state).toEqual({
      name: "records",
      backend: "filesystem",
      config: { backend: "filesystem", directory: "./.state" },
      source: { file: "infra.yaml", line: 16, column: 5 },
    });
    expect(stack.secrets.declared).toEqual(["SESSION_KEY", "DB_URI"]);
    expect(stack.secrets.settings).toEqual({
      provider: "file",
      config: { path: "./.secrets" },
      generate: [
        { key: "SESSION_KEY", type: "random_hex", length: 24 },
        { key: "DB_URI", type: "infra_output", source: "orders-db.uri" },
      ],
    });
    expect(names(stack)).toEqual(["orders-db", "orders-api", "edge-net", "secret.SESSION_KEY", "secret.DB_URI"]);
  });

  test("keeps reserved keys in the config and copies them out", async () => {
    expect(find(await load("orders", "staging"), "orders-db")).toEqual({
      name: "orders-db",
      type: "infra.database",
      provider: "p",
      config: { iac_provider: "p", engine: "pg", size: "s", depends_on: ["edge-net"], region: "r1", protected: true },
      size: "s",
      dependsOn: ["edge-net"],
      protected: true,
      lifecycle: {},
      timeouts: {},
      adoptExisting: false,
      existing: false,
      source: { file: "infra.yaml", line: 23, column: 5 },
    });
  });

  test("keeps references symbolic, and those to generated secrets as references to what makes them", async () => {
    expect(find(await load("orders", "prod"), "orders-api").config["env_vars"]).toEqual({
      DB_ID: { $expr: [{ resource: "orders-db", path: "id" }] },
      SESSION_KEY: { $expr: [{ resource: "secret.SESSION_KEY", path: "value" }] },
    });
  });

  test("takes the overlay, the region and the variables of its environment", async () => {
    const staging = await load("orders", "staging");
    const prod = await load("orders", "prod");
    expect(find(staging, "orders-api").config).toMatchObject({ region: "r1", env_vars: { LOG_LEVEL: "debug" } });
    expect(find(prod, "orders-api").config["env_vars"]).not.toHaveProperty("LOG_LEVEL");
    expect(find(prod, "orders-db")).toMatchObject({ size: "l", config: { size: "l", engine: "pg", region: "r2" } });
    expect(find(staging, "edge-net").config).not.toHaveProperty("env_vars");
  });
});

describe("a larger stack with imports, anchors and two environments", () => {
  const env = { STATE_BUCKET: "b", ACCOUNT: "1", REGISTRY: "r", TAG: "t" };

  test("reads an import that two files share once", async () => {
    const stack = await load("aws-shop", "prod", env);
    expect(stack.files.map((file) => file.slice(testdata.length))).toEqual([
      "/aws-shop/infra.yaml",
      "/aws-shop/modules/network.yaml",
      "/aws-shop/modules/data.yaml",
    ]);
    expect(names(stack)).toEqual([
      "api",
      "worker",
      "shop-logs-prod",
      "shop-zone",
      "net",
      "private-a",
      "private-b",
      "shop-db",
    ]);
  });

  test("takes name and policy of the file, not of the folder", async () => {
    expect(await load("aws-shop", "prod", env)).toMatchObject({
      name: "shop",
      onFailure: "compensate",
      autoBootstrap: true,
    });
  });

  test("merges overlays deeply and replaces lists", async () => {
    const { config } = find(await load("aws-shop", "prod", env), "api");
    expect(config).toMatchObject({ replicas: 6, ports: [8080, 9090], cpu: 256, region: "eu-central-1" });
    expect(config["env_vars"]).toEqual({
      STAGE: "fixed",
      WORKERS: "8",
      EXTRA: "1",
      DATABASE_URL: {
        $expr: [
          "postgres://app@",
          { resource: "shop-db", path: "endpoint" },
          ":",
          { resource: "shop-db", path: "port" },
          "/shop",
        ],
      },
    });
  });

  test("reads lifecycle and timeouts", async () => {
    expect(find(await load("aws-shop", "dev", env), "api")).toMatchObject({
      lifecycle: { replace: "create-first", ignoreChanges: ["replicas"] },
      timeouts: { create: 2_700_000, delete: 90_000 },
    });
  });

  test("leaves out what the environment sets to null", async () => {
    expect(names(await load("aws-shop", "dev", env))).not.toContain("worker");
  });

  test("resolves the base name of a renamed resource in references and moves", async () => {
    const stack = await load("aws-shop", "prod", env);
    expect(stack.outputs).toEqual({
      api_url: { value: { $expr: [{ resource: "api", path: "url" }] }, sensitive: false },
      bucket: {
        value: { $expr: [{ resource: "shop-logs-prod", path: "id" }] },
        sensitive: false,
        description: "where the logs are",
      },
      database: { value: { $expr: [{ resource: "shop-db", path: "endpoint" }] }, sensitive: true },
    });
    expect(stack.moved).toEqual([{ from: "log-bucket", to: "shop-logs-prod" }]);
    expect((await load("aws-shop", "dev", env)).moved).toEqual([{ from: "log-bucket", to: "logs" }]);
  });

  test("tells existing and adopted resources apart", async () => {
    const stack = await load("aws-shop", "prod", env);
    expect(find(stack, "shop-zone")).toMatchObject({ existing: true, adoptExisting: false });
    expect(find(stack, "shop-logs-prod")).toMatchObject({ existing: false, adoptExisting: true });
  });

  test("overlays the state module too, and keeps variables in it symbolic", async () => {
    expect((await load("aws-shop", "dev", env)).state?.backend).toBe("filesystem");
    expect((await load("aws-shop", "prod", env)).state?.config["bucket"]).toEqual({ $expr: [{ env: "STATE_BUCKET" }] });
  });

  test("finds the place of a value in the file and layer that it comes from", async () => {
    const { locate } = await load("aws-shop", "prod", env);
    expect(locate("api")).toEqual({ file: "infra.yaml", line: 52, column: 5 });
    expect(locate("api", "/config/replicas")).toEqual({ file: "infra.yaml", line: 69, column: 21 });
    expect(locate("api", "/config/replicas", "key")).toEqual({ file: "infra.yaml", line: 69, column: 11 });
    expect(locate("api", "/config/cpu")).toEqual({ file: "infra.yaml", line: 9, column: 8 });
    expect(locate("api", "/config/region")).toEqual({ file: "infra.yaml", line: 20, column: 13 });
    expect(locate("api", "/config/env_vars/WORKERS")).toEqual({ file: "infra.yaml", line: 22, column: 37 });
    expect(locate("api", "/lifecycle/replace")).toEqual({ file: "infra.yaml", line: 54, column: 26 });
    expect(locate("shop-db", "/config/engine")).toEqual({ file: "modules/data.yaml", line: 10, column: 15 });
    expect(locate("shop-db", "/config/nothing/here")).toEqual({ file: "modules/data.yaml", line: 9, column: 7 });
    expect(locate("nobody")).toBeUndefined();
  });
});

describe("a stack inside a whole application", () => {
  test("passes over what belongs to the application", async () => {
    const stack = await load("do-app", undefined, { DIGITALOCEAN_TOKEN: "hunter2" });
    expect(stack).toMatchObject({ name: "do-app", environment: "default", environments: [] });
    expect(names(stack)).toEqual(["vpc", "pg", "web"]);
    expect(find(stack, "web").dependsOn).toEqual(["vpc"]);
  });

  test("uses the only provider where none is named, and reads a whole-value variable", async () => {
    const stack = await load("do-app", undefined, { DIGITALOCEAN_TOKEN: "hunter2" });
    expect(find(stack, "vpc")).toMatchObject({ provider: "do", config: { ip_range: "10.10.0.0/16" } });
    expect(stack.providers[0]?.config["token"]).toEqual({ $expr: [{ env: "DIGITALOCEAN_TOKEN" }] });
    expect(JSON.stringify(stack)).not.toContain("hunter2");
  });

  test("leaves single dollars alone and undoes the escape", async () => {
    const stack = await load("do-app", undefined, { DIGITALOCEAN_TOKEN: "hunter2" });
    // oxlint-disable-next-line no-template-curly-in-string -- the text itself
    expect(find(stack, "web").config["run_command"]).toBe('echo "price: $5, home: ${HOME}"\nexec ./web\n');
  });
});

describe("environments that only modules declare", () => {
  const env = { GCP_PROJECT: "x", AZURE_SUBSCRIPTION: "y" };

  test("are the environments of the stack", async () => {
    const stack = await load("gcp-azure", "both", env);
    expect(stack.environments).toEqual(["gcp-only", "both"]);
    expect(find(stack, "assets")).toMatchObject({
      provider: "ms",
      config: { provider: "ms", storage_class: "STANDARD", container_name: "assets" },
    });
  });

  test("can leave out a provider and all that uses it", async () => {
    const stack = await load("gcp-azure", "gcp-only", env);
    expect(stack.providers.map((provider) => provider.name)).toEqual(["google"]);
    expect(names(stack)).toEqual(["cluster", "assets"]);
  });
});
