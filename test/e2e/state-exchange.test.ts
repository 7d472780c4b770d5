import { readFileSync, statSync, writeFileSync } from "node:fs";
import { startDigitalOcean, type DigitalOceanEmulator } from "@wfctl/emulator-digitalocean";
import { writeFaults } from "@wfctl/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSandbox, type Finished, type Sandbox } from "./lib/sandbox.ts";
import { waitUntil } from "./lib/wait-until.ts";

const token = "dop_v1_test";
let emulator: DigitalOceanEmulator;
beforeAll(async () => {
  emulator = await startDigitalOcean({ rate: 2000 });
});
afterAll(() => emulator.close());

/** The API, without the provider. */
async function make(path: string, key: string, body: object): Promise<{ id: string; name: string }> {
  const response = await fetch(`${emulator.url}/v2/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(response.status).toBeLessThan(300);
  const answer = (await response.json()) as Record<string, { id: string; name: string }>;
  return answer[key]!;
}

function writeStack(box: Sandbox, resources = ""): void {
  const provider = `  - {name: do, type: iac.provider, config: {provider: digitalocean, token: ${token}, endpoint: "${emulator.url}", spaces_endpoint: "${emulator.spacesUrl}"}}\n`;
  writeFileSync(box.path("infra.yaml"), `name: shop\nmodules:\n${provider}${resources}`);
}

const provider = 'provider["registry.terraform.io/digitalocean/digitalocean"]';
const managed = (type: string, name: string, instances: readonly object[], more: object = {}): object => ({
  mode: "managed",
  type: `digitalocean_${type}`,
  name,
  provider,
  instances,
  ...more,
});

function writeTfstate(box: Sandbox, resources: readonly object[]): void {
  const content = { version: 4, terraform_version: "1.11.4", serial: 9, lineage: "b6f0", outputs: {}, resources };
  writeFileSync(box.path("terraform.tfstate"), JSON.stringify(content));
}

const nothing = "00000000-0000-4000-8000-000000000000";
interface Told {
  readonly text: string;
  readonly details: {
    readonly entries: readonly { readonly address: string; readonly ended?: string; readonly why?: string }[];
  };
}
const told = (finished: Finished): Told => JSON.parse(finished.stdout) as Told;

describe("a state of Terraform", () => {
  test("is listed by a dry run that starts nothing, imported from the cloud, and planned without a change", async () => {
    const net = await make("vpcs", "vpc", { name: "tf-net", region: "nyc3", ip_range: "10.31.0.0/16" });
    const other = await make("vpcs", "vpc", { name: "tf-other", region: "nyc3", ip_range: "10.32.0.0/16" });
    const wall = await make("firewalls", "firewall", {
      name: "tf-wall",
      inbound_rules: [{ protocol: "tcp", ports: "22", sources: { addresses: ["10.31.0.0/16"] } }],
      outbound_rules: [{ protocol: "tcp", ports: "all", destinations: { addresses: ["0.0.0.0/0"] } }],
    });
    const box = createSandbox();
    writeStack(
      box,
      "  - {name: net, type: infra.vpc, config: {iac_provider: do, name: tf-net, ip_range: 10.31.0.0/16}}\n",
    );
    writeTfstate(box, [
      { ...managed("account", "me", []), mode: "data" },
      managed("vpc", "net", [
        {
          attributes: { id: net.id, description: "hunter2-hunter2" },
          sensitive_attributes: [[{ type: "get_attr", value: "description" }]],
        },
        { deposed: "0a1b2c3d", attributes: { id: nothing } },
      ]),
      managed("vpc", "net", [{ index_key: "b", attributes: { id: other.id } }], { module: "module.more" }),
      managed("firewall", "wall", [{ attributes: { id: wall.id }, dependencies: ["digitalocean_vpc.net"] }]),
      managed("record", "www", [{ attributes: { id: "1" } }]),
      { ...managed("x", "y", [{ attributes: {} }]), type: "acme_thing" },
    ]);

    const dry = await box.run("state", "import", "--from", "terraform.tfstate", "--dry-run");
    expect(dry).toMatchObject({ code: 0 });
    expect(dry.stdout).toContain(`+ digitalocean_vpc.net as net (infra.vpc of do, id ${net.id})`);
    expect(dry.stdout).toContain('+ module.more.digitalocean_vpc.net["b"] as net-b');
    expect(dry.stdout).toContain("? digitalocean_vpc.net (deposed 0a1b2c3d)");
    expect(dry.stdout).toContain("? acme_thing.y (acme_thing): no resource type of ours is known to be a acme_thing");
    expect(dry.stdout).toContain(
      "- digitalocean_record.www: it is a part of an infra.dns, which speaks of it with records",
    );
    expect(dry.stdout).toContain("3 objects would be imported; 2 skipped, 2 not known.");
    expect((await box.run("state", "list")).code).toBe(1);

    const done = await box.run("state", "import", "--from", "tfstate", "terraform.tfstate");
    expect(done).toMatchObject({ code: 0 });
    expect(done.stdout).toContain("3 objects are imported; 2 skipped, 2 not known.");
    expect(done.stdout).toContain("These resources are not in the stack file: net-b, wall.");
    const shown = await box.run("state", "show", "wall", "--json");
    const { record } = JSON.parse(shown.stdout) as { record: Record<string, unknown> };
    expect(record).toMatchObject({ providerId: wall.id, mark: "imported", dependencies: ["net"], retain: true });
    expect((record["outputs"] as Record<string, unknown>)["name"]).toBe("tf-wall");
    expect(box.everything().replace(readFileSync(box.path("terraform.tfstate"), "latin1"), "")).not.toContain(
      "hunter2",
    );

    const again = await box.run("state", "import", "--from", "terraform.tfstate");
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain("= digitalocean_firewall.wall is recorded as wall");
    expect(again.stdout).toContain("0 objects are imported; 3 recorded already, 2 skipped, 2 not known.");

    const written = await box.run("state", "import", "--from", "terraform.tfstate", "--write", "more.yaml");
    expect(written).toMatchObject({ code: 0 });
    expect(written.stdout).toContain("2 resources are in more.yaml: name it under imports: of the stack file.");
    expect((await box.run("state", "import", "--from", "terraform.tfstate", "--write", "more.yaml")).code).toBe(1);
    const alone = readFileSync(box.path("infra.yaml"), "utf8");
    writeFileSync(box.path("infra.yaml"), `imports: [more.yaml]\n${alone}`);
    const named = await box.run("plan");
    expect(named.stdout).toContain("No changes. 3 unchanged.");

    writeFileSync(box.path("infra.yaml"), alone);
    const planned = await box.run("plan");
    expect(planned.stdout).not.toContain("to create");
    expect(planned.stdout).not.toContain("to delete");
    expect(planned.stdout).toContain("2 to forget");
    const applied = await box.run("apply", "-y");
    expect(applied.code).toBe(0);
    const still = await fetch(`${emulator.url}/v2/vpcs/${other.id}`, { headers: { authorization: `Bearer ${token}` } });
    expect(still.status).toBe(200);
  });

  test("of which a part cannot be read keeps what was imported, says why, and imports the rest the next time", async () => {
    const net = await make("vpcs", "vpc", { name: "part-net", region: "nyc3", ip_range: "10.33.0.0/16" });
    const box = createSandbox();
    writeStack(box);
    const gone = managed("vpc", "gone", [{ attributes: { id: nothing } }]);
    writeTfstate(box, [managed("vpc", "net", [{ attributes: { id: net.id } }]), gone]);
    const partly = await box.run("state", "import", "--from", "terraform.tfstate", "--json");
    expect(partly.code).toBe(1);
    expect(told(partly).details.entries).toMatchObject([
      { address: "digitalocean_vpc.gone", ended: "failed", why: `the cloud has no infra.vpc with the id "${nothing}"` },
      { address: "digitalocean_vpc.net", ended: "recorded" },
    ]);
    expect((await box.run("state", "list")).stdout).toContain("net");

    const late = await make("vpcs", "vpc", { name: "late-net", region: "nyc3", ip_range: "10.34.0.0/16" });
    writeTfstate(box, [
      managed("vpc", "net", [{ attributes: { id: net.id } }]),
      managed("vpc", "gone", [{ attributes: { id: late.id } }]),
    ]);
    const rest = await box.run("state", "import", "--from", "terraform.tfstate");
    expect(rest).toMatchObject({ code: 0 });
    expect(rest.stdout).toContain("1 object is imported; 1 recorded already.");
  });
});

test("an import that is killed keeps what it had recorded, and the next one imports the rest", async () => {
  const first = await make("vpcs", "vpc", { name: "kill-a", region: "nyc3", ip_range: "10.36.0.0/16" });
  const second = await make("vpcs", "vpc", { name: "kill-b", region: "nyc3", ip_range: "10.37.0.0/16" });
  const box = createSandbox();
  writeStack(box);
  writeTfstate(box, [
    managed("vpc", "first", [{ attributes: { id: first.id } }]),
    managed("vpc", "second", [{ attributes: { id: second.id } }]),
  ]);
  emulator.faults.add({ method: "GET", path: second.id, effect: "hang" });
  const running = box.start("state", "import", "--from", "terraform.tfstate");
  const recorded = async (): Promise<string> => (await box.run("state", "list")).stdout;
  while (!(await recorded()).includes("first")) expect(running.process.exitCode).toBeNull();
  running.process.kill("SIGKILL");
  await running.finished;
  emulator.faults.clear();
  expect(await recorded()).not.toContain("second");

  const rest = await box.run("state", "import", "--from", "terraform.tfstate");
  expect(rest).toMatchObject({ code: 0 });
  expect(rest.stdout).toContain("= digitalocean_vpc.first is recorded as first");
  expect(rest.stdout).toContain("1 object is imported; 1 recorded already.");
  const doctor = await box.run("state", "doctor");
  expect(doctor).toMatchObject({ code: 0 });
});

test("an import that is interrupted says what it has left, and the next one imports it", async () => {
  const slow = await make("vpcs", "vpc", { name: "slow", region: "nyc3", ip_range: "10.38.0.0/16" });
  const box = createSandbox();
  writeStack(box);
  writeTfstate(box, [managed("vpc", "slow", [{ attributes: { id: slow.id } }])]);
  const before = emulator.journal.exchanges().length;
  emulator.faults.add({ method: "GET", path: slow.id, effect: "hang" });
  const running = box.start("state", "import", "--from", "terraform.tfstate", "--json");
  await waitUntil("the object is asked for", () =>
    emulator.journal
      .exchanges()
      .slice(before)
      .some((exchange) => JSON.stringify(exchange).includes(slow.id)),
  );
  running.process.kill("SIGINT");
  const interrupted = await running.finished;
  emulator.faults.clear();
  expect(interrupted.code).toBe(130);
  expect(told(interrupted).details.entries).toMatchObject([{ ended: "interrupted" }]);
  expect((await box.run("status")).stdout).toContain("interrupted");
  const rest = await box.run("state", "import", "--from", "terraform.tfstate");
  expect(rest.stdout).toContain("1 object is imported.");
});

test("an export of Pulumi is imported from the cloud, and what is encrypted is said so", async () => {
  const net = await make("vpcs", "vpc", { name: "pulumi-net", region: "nyc3", ip_range: "10.35.0.0/16" });
  const box = createSandbox();
  writeStack(box);
  const urn = (type: string, name: string): string => `urn:pulumi:dev::shop::${type}::${name}`;
  const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:c2VjcmV0" };
  const vpc = "digitalocean:index/vpc:Vpc";
  const domain = "digitalocean:index/domain:Domain";
  const resources = [
    { urn: urn("pulumi:pulumi:Stack", "shop-dev"), custom: false, type: "pulumi:pulumi:Stack" },
    { urn: urn(vpc, "net"), custom: true, id: net.id, type: vpc, protect: true, outputs: { description: secret } },
    { urn: urn(domain, "zone"), custom: true, type: domain, outputs: { name: secret } },
  ];
  writeFileSync(box.path("stack.json"), JSON.stringify({ version: 3, deployment: { resources } }));
  const done = await box.run("state", "import", "--from", "stack.json");
  expect(done).toMatchObject({ code: 0 });
  expect(done.stdout).toContain("2 values are encrypted by Pulumi and cannot be read");
  expect(done.stdout).toContain("its name is encrypted and cannot be read, so its id is not known");
  expect(done.stdout).toContain("1 object is imported; 1 not known.");
  const { record } = JSON.parse((await box.run("state", "show", "net", "--json")).stdout) as {
    record: Record<string, unknown>;
  };
  expect(record).toMatchObject({ providerId: net.id, protected: true, mark: "imported" });
});

describe("an export", () => {
  const stack = `
  - {name: db, type: infra.secret, config: {value: v, password: hunter2-hunter2}}
  - {name: api, type: infra.test, config: {value: "\${db.endpoint}"}}
`;
  interface Exported {
    readonly lineage: string;
    readonly serial: number;
    readonly records: readonly Record<string, unknown>[];
  }
  const contentOf = (text: string): Exported => JSON.parse(text) as Exported;
  const stable = ({ records }: Exported) => records.map(({ run: _, mark: __, ...rest }) => rest);

  test("with secrets goes into an empty state and comes out of it the same; the next plan finds no change", async () => {
    const box = createSandbox();
    box.write(stack);
    expect((await box.run("apply", "-y")).code).toBe(0);
    const out = await box.run("state", "export", "--out", "all.json", "-S");
    expect(out).toMatchObject({ code: 0 });
    expect(out.stdout).toContain("2 records are in all.json, with secrets in clear: keep it safe.");
    expect(statSync(box.path("all.json")).mode & 0o777).toBe(0o600);
    const text = readFileSync(box.path("all.json"), "utf8");
    expect(text).toContain("hunter2-hunter2");

    const copy = box.path("infra.yaml");
    writeFileSync(copy, readFileSync(copy, "utf8").replace("name: shop", "name: twin"));
    const dry = await box.run("state", "import", "--from", "all.json", "--dry-run");
    expect(dry.stdout).toContain("2 records would be imported: api, db.");
    const done = await box.run("state", "import", "--from", "all.json");
    expect(done).toMatchObject({ code: 0 });
    expect(done.stdout).toContain("2 records are imported: api, db.");
    const back = contentOf((await box.run("state", "export", "-S")).stdout);
    expect(back.lineage).not.toBe(contentOf(text).lineage);
    expect(stable(back)).toEqual(stable(contentOf(text)));

    const again = await box.run("state", "import", "--from", "all.json");
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain("0 records are imported; 2 are recorded already.");
    expect((await box.run("plan", "--detailed-exitcode")).stdout).toContain("No changes. 2 unchanged.");
    expect(box.cloud.effects().filter((effect) => effect.kind === "created")).toHaveLength(2);
  });

  test("without secrets holds none, and what is missing is read again", async () => {
    const box = createSandbox();
    box.write(stack);
    expect((await box.run("apply", "-y")).code).toBe(0);
    const { stdout } = await box.run("state", "export");
    expect(stdout).not.toContain("hunter2");
    expect(stdout).not.toContain("password-of-");
    writeFileSync(box.path("all.json"), stdout);
    const copy = box.path("infra.yaml");
    writeFileSync(copy, readFileSync(copy, "utf8").replace("name: shop", "name: twin"));
    expect((await box.run("state", "import", "--from", "all.json")).code).toBe(0);
    expect((await box.run("apply", "-y")).code).toBe(0);
    expect(box.cloud.effects().filter((effect) => effect.kind === "created")).toHaveLength(2);
    const shown = await box.run("outputs", "-m", "db", "-S", "--json");
    expect(shown.stdout).toContain("password-of-");
  });

  test("does not write over what is recorded", async () => {
    const box = createSandbox();
    box.write(stack);
    expect((await box.run("apply", "-y")).code).toBe(0);
    const text = (await box.run("state", "export")).stdout;
    writeFileSync(box.path("other.json"), text.replaceAll(/"providerId": "[^"]*"/g, '"providerId": "another"'));
    const refused = await box.run("state", "import", "--from", "other.json");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("the state records api, db already");
    writeFaults(box.root, []);
    expect((await box.run("state", "export")).stdout).toBe(text);
  });
});
