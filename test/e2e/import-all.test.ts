import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { startDigitalOcean } from "@wfctl/emulator-digitalocean";
import { expect, onTestFinished, test } from "vitest";
import { createSandbox, type Sandbox } from "./lib/sandbox.ts";

interface FoundJson {
  readonly written: readonly Record<string, string>[];
  readonly known: number;
  readonly skipped: readonly Record<string, string>[];
  readonly text?: string;
}

/** An object that somebody made by hand. */
function make(box: Sandbox, name: string, type: string, inputs: Record<string, unknown>, owner = ""): string {
  const request = { account: "main", type, name, inputs, owner, token: "", partial: false };
  return box.cloud.create(request as Parameters<Sandbox["cloud"]["create"]>[0]).object.id;
}

const include = { extra: "imports: [found.yaml]" };

test("everything that is there is written as a file that imports it, and nothing of it changes", async () => {
  const box = createSandbox();
  box.write("  - {name: mine, type: infra.test, config: {value: x}}\n");
  await box.run("apply", "-y");
  const ids = {
    web: make(box, "web", "infra.test", { value: "${a} $B", settings: { env: "prod" } }),
    other: make(box, "web", "infra.secret", { value: 'say "${{ 1 }}"' }),
    odd: make(box, "a name/of theirs", "infra.test", { region: "eu" }),
    secret: make(box, "keyed", "infra.test", { value: 1, password: "hunter2-hunter2" }),
  };
  const child = make(box, "child", "infra.test", { parents: [ids.web] });
  const before = box.cloud.effects().length;

  const dry = await box.run("import", "--all", "--dry-run", "--out", "found.yaml");
  expect(dry).toMatchObject({ code: 0, stderr: "" });
  expect(dry.stdout).toContain("5 objects would be written, 1 known already.");
  expect(existsSync(box.path("found.yaml"))).toBe(false);

  const written = await box.run("import", "--all", "-o", "found.yaml");
  expect(written.code).toBe(0);
  expect(written.stdout).toContain("name it under imports: of the stack file");
  const text = readFileSync(box.path("found.yaml"), "utf8");
  expect(text).not.toContain("hunter2");
  // The object that another one names by its id is a reference.
  expect(text).toContain("${web-test.id}");
  for (const name of ["web", "web-test", "a-name-of-theirs", "keyed", "child"]) {
    expect(text).toContain(`  - name: ${name}\n`);
  }
  // The same again, byte by byte.
  expect((await box.run("import", "--all")).stdout).toBe(text);

  box.write("  - {name: mine, type: infra.test, config: {value: x}}\n", include);
  const planned = await box.run("plan");
  expect(planned.stdout).toContain("Plan: 5 to import, 1 unchanged.");
  expect(planned.stdout).not.toContain("→");
  const applied = await box.run("apply", "-y");
  expect(applied.code).toBe(0);
  expect((await box.run("plan", "--refresh", "--detailed-exitcode")).code).toBe(0);
  expect(box.cloud.effects()).toHaveLength(before);
  const { records } = JSON.parse((await box.run("state", "list", "--json")).stdout) as {
    records: { name: string; providerId: string; dependencies: string[] }[];
  };
  expect(records.find(({ name }) => name === "child")).toMatchObject({ providerId: child, dependencies: ["web-test"] });
  expect(records.find(({ name }) => name === "web")?.providerId).toBe(ids.other);

  const again = await box.run("import", "--all");
  expect(again).toMatchObject({ code: 0, stdout: "", stderr: "Nothing new: 0 objects written, 6 known already.\n" });
});

test("a file that is there is never written over, and what does not fit is told apart", async () => {
  const box = createSandbox();
  make(box, "web", "infra.test", { value: 1, settings: { env: "prod", tier: "a" } });
  make(box, "job", "infra.test", { value: 2, settings: { env: "prod" } });
  make(box, "theirs", "infra.test", { settings: { env: "prod" } }, "another-lineage/theirs");
  make(box, "waits", "infra.test", {});
  box.write("  - {name: waits, type: infra.test}\n");
  writeFileSync(box.path("found.yaml"), "mine: 1\n");
  const refused = await box.run("import", "--all", "--out", "found.yaml");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('Cannot write "found.yaml": it exists already');
  expect(readFileSync(box.path("found.yaml"), "utf8")).toBe("mine: 1\n");

  const found = JSON.parse((await box.run("import", "--all", "--json")).stdout) as FoundJson;
  expect(found).toMatchObject({ schema: "wfctl/import-all/1", exitCode: 0, known: 0, dryRun: false });
  expect(found.written.map(({ name }) => name)).toEqual(["web", "job"]);
  expect(found.text).toContain("name: web");
  expect(found.skipped.map(({ name, why }) => `${name}: ${why?.split(",")[0]}`)).toEqual(
    expect.arrayContaining([
      "theirs: it carries the mark of another stack",
      expect.stringMatching(
        /^waits: the stack file has a resource of its name and type .* wfctl import waits test-\d+$/,
      ),
    ]),
  );

  const tagged = async (...tags: string[]): Promise<string[]> => {
    const { stdout } = await box.run("import", ...tags.flatMap((tag) => ["--tag", tag]), "--json");
    return (JSON.parse(stdout) as FoundJson).written.map(({ name }) => name as string);
  };
  expect(await tagged("env=prod")).toEqual(["web", "job"]);
  expect(await tagged("env=prod", "tier=a")).toEqual(["web"]);
  expect(await tagged("env=dev")).toEqual([]);
  const typed = JSON.parse((await box.run("import", "--all", "--type", "infra.secret", "--json")).stdout) as FoundJson;
  expect(typed).toMatchObject({ written: [], skipped: [] });
});

test("what cannot be asked for is an error that says what can", async () => {
  const box = createSandbox();
  box.write("");
  const problem = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await box.run("import", ...args);
    expect(code).toBe(1);
    return stderr;
  };
  expect(await problem("--all", "--type", "infra.tset")).toContain('Did you mean "infra.test"?');
  expect(await problem("--all", "--provider", "clod")).toContain('Did you mean "cloud"?');
  expect(await problem("--type", "infra.test")).toContain("--type needs --all or --tag");
  expect(await problem("--all", "net")).toContain('"net" and --all exclude each other');
  expect(await problem("net")).toContain("ID is missing");
  expect(await problem("--all", "--out", "x.json")).toContain("expected a file in YAML");
  box.write("", { provider: "upstreamlike" });
  expect(await problem("--all")).toContain("no plugin of the stack lists any");
});

test("a real provider: droplets, their network, a firewall of the same name, and more domains than a page holds", async () => {
  const emulator = await startDigitalOcean({ rate: 2000 });
  onTestFinished(() => emulator.close());
  const box = createSandbox();
  const env = { WFCTL_PLUGIN_DIR: undefined, DIGITALOCEAN_TOKEN: "dop_v1_import" };
  const post = async (path: string, body: object): Promise<Record<string, { id: string }>> => {
    const response = await fetch(`${emulator.url}/v2/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${env.DIGITALOCEAN_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(response.ok, await response.clone().text()).toBe(true);
    return (await response.json()) as Record<string, { id: string }>;
  };
  const { vpc } = await post("vpcs", { name: "office", region: "nyc3", ip_range: "10.10.0.0/16" });
  const machine = { region: "nyc3", size: "s-1vcpu-1gb", image: "ubuntu-24-04-x64", vpc_uuid: vpc?.id };
  await post("droplets", { ...machine, name: "web", tags: ["env:prod"] });
  await post("droplets", { ...machine, name: "spare" });
  await post("firewalls", {
    name: "web",
    inbound_rules: [{ protocol: "tcp", ports: "443", sources: { addresses: ["0.0.0.0/0"] } }],
  });
  const write = (imports: string): void =>
    writeFileSync(
      box.path("infra.yaml"),
      `name: office\n${imports}modules:\n  - name: do\n    type: iac.provider\n    config: {provider: digitalocean, endpoint: "${emulator.url}", limit_rates: false}\n`,
    );
  write("");

  const tagged = await box.runWith(env, "import", "--tag", "env=prod", "--json");
  expect((JSON.parse(tagged.stdout) as FoundJson).written).toMatchObject([{ name: "web", type: "infra.droplet" }]);

  const types = "infra.droplet,infra.vpc,infra.firewall";
  const found = await box.runWith(env, "import", "--all", "--type", types, "-o", "found.yaml");
  expect(found).toMatchObject({ code: 0, stderr: "" });
  const text = readFileSync(box.path("found.yaml"), "utf8");
  expect(text).toContain("vpc_uuid: ${office.id}");
  expect(text).toContain("- name: web-firewall\n");

  write("imports: [found.yaml]\n");
  const applied = await box.runWith(env, "apply", "-y");
  expect(applied.stdout).toMatch(/Plan: [45] to import\.\n/);
  expect(applied.code).toBe(0);
  expect((await box.runWith(env, "plan", "--refresh", "--detailed-exitcode")).code).toBe(0);
  expect((await box.runWith(env, "import", "--all", "--type", types)).stderr).toMatch(/^Nothing new: /);

  // More than one page holds.
  const names = Array.from({ length: 205 }, (_, index) => `d${index}.example`);
  await Promise.all(names.map((name) => post("domains", { name })));
  const zones = await box.runWith(env, "import", "--all", "--type", "infra.dns", "--dry-run", "--json");
  expect((JSON.parse(zones.stdout) as FoundJson).written).toHaveLength(205);
});
