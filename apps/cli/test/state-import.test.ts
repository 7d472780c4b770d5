import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runInside } from "./run-inside.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "wfctl-import-"));
  writeFileSync(
    join(folder, "infra.yaml"),
    "name: shop\nmodules:\n  - {name: cloud, type: iac.provider, config: {provider: aws}}\n",
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each<[string | Buffer, string]>([
  ["", "the file is empty"],
  ['{"a":', "it is no JSON, it ends too early"],
  ['{"a"', "it is no JSON at line 1, column 5"],
  ['{\n  "password": "hunter2-hunter2" oops', "it is no JSON at line 2, column 33"],
  ["\uFEFF{}", "it is neither a state of Terraform"],
  ['{"version": 3, "modules": []}', "its version of Terraform's format is 3, expected 4"],
  ['{"resource_id": "db"}', "it is one record of upstream"],
  [Buffer.from("\uFEFF{}", "utf16le"), "it is not UTF-8"],
  [Buffer.from("PK\u0003\u0004"), "it is an archive"],
])("what is no state is refused with the file and the place, and nothing is made: %#", async (content, message) => {
  const path = join(folder, "bad.json");
  writeFileSync(path, content);
  const refused = await runInside(folder, "state", "import", "--from", "bad.json");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(message);
  expect(refused.stderr).toContain(path);
  expect(refused.stderr).not.toContain("hunter2");
  expect(existsSync(join(folder, ".wfctl"))).toBe(false);
});

test("a dry run lists what it would do, and neither starts a plugin nor makes a state", async () => {
  const provider = 'provider["registry.opentofu.org/hashicorp/aws"]';
  const instances = [{ attributes: { bucket: "assets-of-shop", secret: "hunter2-hunter2" } }];
  const resources = [{ mode: "managed", type: "aws_s3_bucket", name: "cloud", provider, instances }];
  writeFileSync(join(folder, "terraform.tfstate"), JSON.stringify({ version: 4, lineage: "l", serial: 1, resources }));
  const dry = await runInside(folder, "state", "import", "--from", "terraform.tfstate", "--dry-run");
  expect(dry).toMatchObject({ code: 0, stderr: "" });
  // The module has the name already.
  expect(dry.stdout).toContain(
    "+ aws_s3_bucket.cloud as cloud-aws_s3_bucket (infra.storage of cloud, id assets-of-shop)",
  );
  expect(dry.stdout).not.toContain("hunter2");
  expect(existsSync(join(folder, ".wfctl"))).toBe(false);
});
