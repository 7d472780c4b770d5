import { cpSync } from "node:fs";
import { createDigitalOceanService, startDigitalOcean } from "@wfctl/emulator-digitalocean";
import { describe, expect, onTestFinished, test } from "vitest";
import { createSandbox, type Sandbox } from "./lib/sandbox.ts";

/** A folder with the stacks as somebody wrote them for upstream. */
function createUpstreamBox(): Sandbox {
  const box = createSandbox();
  cpSync(new URL("upstream-stacks", import.meta.url), box.directory, { recursive: true });
  return box;
}

test("a stack of upstream for DigitalOcean, with every key that its plugin reads, plans as it is", async () => {
  const box = createUpstreamBox();
  const emulator = await startDigitalOcean({ service: createDigitalOceanService(), rate: 2000 });
  onTestFinished(() => emulator.close());
  const env = {
    DIGITALOCEAN_TOKEN: "dop_v1_test",
    DIGITALOCEAN_API_URL: emulator.url,
    SPACES_URL: emulator.spacesUrl,
    SPACES_KEY: "key-of-spaces",
    SPACES_SECRET: "secret-of-spaces",
    API_TOKEN: "token-of-the-partner",
  };
  const planned = await box.runWith(env, "infra", "plan", "-c", "digitalocean.yaml", "-e", "prod", "--json");
  expect(planned).toMatchObject({ code: 0 });
  const plan = JSON.parse(planned.stdout) as {
    actions: { kind: string; name: string; config: Record<string, unknown> }[];
  };
  expect(plan.actions.filter(({ kind }) => kind !== "create")).toEqual([]);
  // 17 resources and two generated secrets.
  expect(plan.actions).toHaveLength(19);
  const configOf = (name: string): unknown => plan.actions.find((action) => action.name === name)?.config;
  expect(configOf("orders-db")).toMatchObject({ size: "db-s-2vcpu-4gb", engine: "pg" });
  expect(planned.stdout).not.toContain("token-of-the-partner");
});

test("a stack of upstream for AWS, with every key that its plugin reads, is valid as it is", async () => {
  const checked = await createUpstreamBox().run("validate", "-c", "aws.yaml");
  expect(checked).toMatchObject({ code: 0, stderr: "" });
  expect(checked.stdout).toContain("14 resources");
});

test("upstream's container vocabulary plans on this machine, in each environment", async () => {
  const box = createUpstreamBox();
  for (const environment of ["staging", "prod"]) {
    const planned = await box.runWith({ PWD: box.directory }, "plan", "-c", "local.yaml", "-e", environment);
    expect(planned).toMatchObject({ code: 0 });
    expect(planned.stdout).toContain("Plan: 5 to create.");
    expect(planned.stdout.includes('env_vars.LOG_LEVEL: "debug"')).toBe(environment === "staging");
    expect(planned.stdout.includes('mode: "0700"')).toBe(environment === "prod");
  }
});

describe("what upstream took and wfctl does not is refused with what to write", () => {
  const local = "  - {name: p, type: iac.provider, config: {provider: local, root: /tmp/nowhere}}\n";
  test.each([
    [
      "keys of another cloud",
      "aws",
      '  - {name: n, type: infra.vpc, config: {ip_range: 10.0.0.0/16}}\n  - {name: d, type: infra.database, config: {version: "16"}}\n',
      ['here it is "cidr"', 'here it is "engine_version"'],
    ],
    [
      "a key of another cloud and a type of another plugin",
      "digitalocean",
      "  - {name: d, type: infra.database, config: {engine: pg, instance_class: x}}\n  - {name: q, type: infra.message_broker, config: {}}\n",
      ['here it is "size"', 'no resource type "infra.message_broker"'],
    ],
    [
      "a module of an older system, and two providers without a choice",
      "digitalocean",
      `${local}  - {name: k, type: platform.kubernetes, config: {}}\n  - {name: s, type: infra.storage, config: {}}\n`,
      ["Write type: infra.<kind>", "Write config: {provider: cloud}"],
    ],
    [
      "a cloud whose plugin is missing",
      "hetzner",
      "  - {name: s, type: infra.storage, config: {}}\n",
      ["wfctl plugin install hetzner"],
    ],
  ])("%s", async (_, provider, resources, hints) => {
    const box = createSandbox();
    box.write(resources, { provider });
    const { code, stderr } = await box.run("validate");
    expect(code).toBe(1);
    for (const hint of hints) expect(stderr).toContain(hint);
    expect(stderr).toContain("infra.yaml:");
  });
});
