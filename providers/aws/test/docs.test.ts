import { join } from "node:path";
import { expect, test } from "vitest";
import { resources } from "../src/resources/index.ts";
import { permissions } from "../src/resources/permissions.ts";
import { operationsOf, permissionsByType, typesWithSources } from "../src/write-permissions.ts";
import { awsPage } from "./docs/page.ts";

test("docs/providers/aws.md is what the code says", async () => {
  await expect(awsPage()).toMatchFileSnapshot(join(import.meta.dirname, "../../../docs/providers/aws.md"));
});

test("the permissions are those of the sources", () => {
  expect(typesWithSources()).toEqual(resources.map(({ type }) => type).toSorted());
  expect(permissions).toEqual(permissionsByType());
  expect(permissions["infra.storage"]).toEqual(expect.arrayContaining(["s3:CreateBucket", "s3:TagResource"]));
});

test("every operation that the sources call is exported by its service", async () => {
  const { createAwsClient } = await import("../src/client.ts");
  const { awsConfig } = await import("../src/config.ts");
  const client = await createAwsClient(awsConfig.parse({ region: "us-east-1" }), "0.0.0");
  for (const type of typesWithSources()) {
    for (const [service, operation] of operationsOf(type)) {
      const { module } = await client.connect(service, "us-east-1");
      expect(Object.keys(module), `${service} of ${type}`).toContain(`${operation}Command`);
    }
  }
  client.close();
});
