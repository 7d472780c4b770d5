import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { motoProblem, startMoto } from "../../providers/aws/test/testing/moto.ts";
import { createSandbox, type Sandbox } from "./lib/sandbox.ts";

interface Row {
  readonly name: string;
  readonly type: string;
  readonly providerId: string;
}

async function rows(box: Sandbox): Promise<readonly Row[]> {
  const { records } = JSON.parse((await box.run("state", "list", "--json")).stdout) as { records: readonly Row[] };
  return records.map(({ name, type, providerId }) => ({ name, type, providerId }));
}

test.skipIf(motoProblem() !== undefined)(
  "objects of AWS are imported from a state of Terraform by the ids that the provider reads, other regions too",
  { timeout: 600_000 },
  async () => {
    const endpoint = await startMoto();
    const box = createSandbox();
    const repository = `exchange-${process.pid}-${Date.now()}`;
    writeFileSync(
      box.path("infra.yaml"),
      `name: shop
modules:
  - name: cloud
    type: iac.provider
    config: {provider: aws, region: us-east-1, access_key_id: AKIAEXCHANGEEXCHANGE, secret_access_key: "secret+of/the+tests", endpoint: "${endpoint}"}
  - {name: net, type: infra.vpc, config: {iac_provider: cloud, region: eu-west-1, cidr: 10.9.0.0/16}}
  - {name: wall, type: infra.firewall, config: {iac_provider: cloud, region: eu-west-1, vpc_id: "\${net.id}"}}
  - {name: images, type: infra.registry, config: {iac_provider: cloud, repository_name: ${repository}}}
`,
    );
    const applied = await box.run("apply", "-y");
    expect(applied.stderr + applied.stdout).toContain("3 created");
    const made = await rows(box);
    const nativeId = (name: string): string =>
      made.find((row) => row.name === name)?.providerId.replace("@eu-west-1", "") ?? "";

    const copy = box.path("infra.yaml");
    writeFileSync(copy, readFileSync(copy, "utf8").replace("name: shop", "name: twin"));
    const resource = (type: string, name: string, attributes: object, alias = "") => ({
      mode: "managed",
      type,
      name,
      provider: `provider["registry.terraform.io/hashicorp/aws"]${alias}`,
      instances: [{ attributes }],
    });
    const away = (type: string, kind: string, name: string): object => {
      const id = nativeId(name);
      return resource(type, name, { id, arn: `arn:aws:ec2:eu-west-1:123456789012:${kind}/${id}` }, ".eu");
    };
    const resources = [
      away("aws_vpc", "vpc", "net"),
      away("aws_security_group", "security-group", "wall"),
      resource("aws_subnet", "a", { id: "subnet-1" }, ".eu"),
      resource("aws_ecr_repository", "images", { id: repository, name: repository, arn: nativeId("images") }),
    ];
    writeFileSync(box.path("terraform.tfstate"), JSON.stringify({ version: 4, lineage: "l", serial: 1, resources }));
    const asked = await box.run("state", "import", "--from", "terraform.tfstate", "--dry-run");
    expect(asked.stdout).toContain("Say it with: --provider aws.eu=cloud");
    const done = await box.run("state", "import", "--from", "terraform.tfstate", "--provider", "aws.eu=cloud");
    expect(done.stdout + done.stderr).toContain("3 objects are imported; 1 skipped.");
    expect(done.stdout).toMatch(
      /aws_vpc\.net as net .*; it carries the mark of \w+\/net: no other stack may go on managing it/,
    );
    expect(await rows(box)).toEqual(made);
    expect(nativeId("net")).toMatch(/^vpc-/);
    const again = await box.run("state", "import", "--from", "terraform.tfstate", "--provider", "aws.eu=cloud");
    expect(again.stdout).toContain("0 objects are imported; 3 recorded already, 1 skipped.");
    const planned = await box.run("plan");
    expect(planned.stdout).not.toContain("to create");
    expect(planned.stdout).not.toContain("to replace");
  },
);
