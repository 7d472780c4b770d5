import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  ACMClient,
  AddTagsToCertificateCommand,
  DescribeCertificateCommand,
  ListCertificatesCommand,
  ListTagsForCertificateCommand,
  RequestCertificateCommand,
} from "@aws-sdk/client-acm";
import { CreateHostedZoneCommand, ListResourceRecordSetsCommand, Route53Client } from "@aws-sdk/client-route-53";
import { iac, unaryCall } from "@wfctl/contract";
import { beforeAll, describe, expect, test } from "vitest";
import { changedPaths, expectQuiet, patiently } from "@wfctl/testkit/drive-expectations";
import { createInPieces, isMotoMissing, useAws } from "../../test/testing/harness.ts";

const pem = (name: string) => readFileSync(join(import.meta.dirname, "../../test/testdata", name), "utf8");

describe.skipIf(isMotoMissing)("infra.certificate", () => {
  const cloud = useAws();
  const driver = cloud.driver("infra.certificate");
  let acm: ACMClient;
  let route53: Route53Client;
  let zone: string;
  beforeAll(async () => {
    [acm, route53] = [new ACMClient(cloud.sdk), new Route53Client(cloud.sdk)];
    const made = await route53.send(new CreateHostedZoneCommand({ Name: "example.com", CallerReference: "test" }));
    zone = made.HostedZone!.Id!;
  });
  async function count(): Promise<number> {
    const { CertificateSummaryList: list = [] } = await acm.send(
      new ListCertificatesCommand({ Includes: { keyTypes: ["RSA_2048", "EC_prime256v1"] } }),
    );
    return list.length;
  }
  async function recordNames(): Promise<string[]> {
    const { ResourceRecordSets: records = [] } = await route53.send(
      new ListResourceRecordSetsCommand({ HostedZoneId: zone }),
    );
    return records.filter(({ Type }) => Type === "CNAME").map(({ Name }) => Name!);
  }

  test("goes through its life, validated in its zone", async () => {
    const config = {
      domain_name: "www.example.com",
      subject_alternative_names: ["api.example.com", "*.example.com"],
      hosted_zone_id: zone,
      key_algorithm: "EC_prime256v1",
      transparency_logging: false,
      tags: { env: "test" },
    };
    const made = await driver.create("site", config, { token: "t-site", owner: "line/site" });
    const arn = made.providerId;
    expect(made).toMatchObject({
      created: true,
      outputs: { arn, domain_name: "www.example.com", cert_status: "ISSUED", validation_method: "DNS" },
    });
    expect(made.outputs["validation_records"]).toHaveLength(3);
    expect(await recordNames()).toHaveLength(3);
    const { Certificate } = await acm.send(new DescribeCertificateCommand({ CertificateArn: arn }));
    expect(Certificate?.SubjectAlternativeNames).toContain("api.example.com");
    const { Tags } = await acm.send(new ListTagsForCertificateCommand({ CertificateArn: arn }));
    expect(Tags).toContainEqual({ Key: "wfctl:owner", Value: "line/site" });
    await expectQuiet(driver, "site", config, arn);
    await expectQuiet(driver, "site", { ...config, domain_name: "WWW.example.com." }, arn);

    const changed = { ...config, transparency_logging: true, tags: { env: "two" } };
    expect(await changedPaths(driver, "site", changed, arn)).toEqual(["tags.env", "transparency_logging"]);
    await driver.update("site", arn, changed);
    await expectQuiet(driver, "site", changed, arn);
    const live = (await driver.read("site", arn))!;
    for (const other of [
      { domain_name: "other.example.com" },
      { subject_alternative_names: [] },
      { key_algorithm: "RSA_2048" },
    ]) {
      expect((await driver.diff("site", { ...changed, ...other }, live)).needsReplace).toBe(true);
    }
    await acm.send(new AddTagsToCertificateCommand({ CertificateArn: arn, Tags: [{ Key: "by", Value: "hand" }] }));
    expect(await changedPaths(driver, "site", changed, arn)).toEqual(["tags.by"]);
    await driver.update("site", arn, changed);
    await expectQuiet(driver, "site", changed, arn);

    await driver.delete("site", arn);
    expect([await count(), await recordNames()]).toEqual([0, []]);
    expect(await driver.read("site", arn)).toBeUndefined();
    await driver.delete("site", arn);
  });

  test("gives its validation records at once, and waits for validation at the end of the run", async () => {
    const made = await driver.create("a.example.com", { wait_for_validation: true });
    expect(made.outputs["cert_status"]).toBe("PENDING_VALIDATION");
    expect(made.outputs["validation_records"]).toMatchObject([
      { type: "CNAME", name: expect.stringContaining("a.example.com") },
    ]);
    const finalize = iac.IaCProviderFinalizer.method.finalizeApply;
    const { response } = await unaryCall(cloud.plugin.client, finalize, { planId: "p" });
    expect(response.errors).toEqual([]);
    expect((await driver.read("a.example.com", made.providerId))?.outputs["cert_status"]).toBe("ISSUED");
    await expectQuiet(driver, "a.example.com", { wait_for_validation: true }, made.providerId);
    await driver.delete("a.example.com", made.providerId);
  });

  test("is imported from PEM, and imported anew when that changes", async () => {
    const config = { certificate_body: pem("throwaway.pem"), private_key: pem("throwaway.key") };
    const made = await driver.create("pem", config);
    expect(made.outputs).toMatchObject({ domain_name: "imported.example.com", cert_status: "ISSUED" });
    await expectQuiet(driver, "pem", config, made.providerId);
    const next = { certificate_body: pem("throwaway-2.pem"), private_key: pem("throwaway-2.key") };
    const live = (await driver.read("pem", made.providerId))!;
    const change = await driver.diff("pem", next, { ...live, inputs: config });
    expect(change.needsReplace).toBe(false);
    expect(JSON.stringify(change.changes)).not.toContain("PRIVATE KEY");
    await driver.update("pem", made.providerId, next);
    await expectQuiet(driver, "pem", next, made.providerId);
    const requested = await driver.diff("pem", { domain_name: "imported.example.com" }, { ...live, inputs: next });
    expect(requested.needsReplace).toBe(true);
    await driver.delete("pem", made.providerId);
  });

  test("is imported by ARN and by domain", async () => {
    const { CertificateArn: arn } = await acm.send(
      new RequestCertificateCommand({ DomainName: "theirs.example.com", ValidationMethod: "DNS" }),
    );
    for (const id of [arn!, "theirs.example.com"]) {
      expect(await driver.import(id)).toMatchObject({ providerId: arn, inputs: { domain_name: "theirs.example.com" } });
    }
    expect(await driver.import("nobody.example.com")).toBeUndefined();
    expect(await driver.list()).toContainEqual(expect.objectContaining({ name: "theirs.example.com" }));
    await driver.setOwner("theirs.example.com", arn!, "line/x");
    expect(await driver.getOwner("theirs.example.com", arn!)).toBe("line/x");
    await driver.delete("theirs.example.com", arn!);
  });

  test("a create that is cut off after every single one of its calls ends with nothing missing and nothing twice", async () => {
    const config = { domain_name: "cut.example.com", hosted_zone_id: zone };
    expect(await createInPieces(cloud, () => driver.create("cut", config, { token: "t-cut" }))).toBeGreaterThan(1);
    expect([await count(), (await recordNames()).length]).toEqual([1, 1]);
    const found = await driver.lookup("cut", "t-cut");
    await expectQuiet(driver, "cut", config, found!.providerId);
    await driver.delete("cut", found!.providerId);
    expect(await driver.lookup("cut", "t-cut")).toBeUndefined();
  });

  test("says why it was not issued, and what still uses it", async () => {
    cloud.proxy.rewrite("acm.DescribeCertificate", (body) =>
      body.replaceAll(/"Status": "(ISSUED|PENDING_VALIDATION)"/g, '"Status": "FAILED", "FailureReason": "CAA_ERROR"'),
    );
    const failure = await driver.create("f.example.com", { hosted_zone_id: zone }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ class: "unknown", message: expect.stringContaining("CAA_ERROR") });
    cloud.proxy.reset();
    const { partialId: arn } = failure as { partialId: string };
    cloud.proxy.fail({ operation: "acm.DeleteCertificate", times: 999, fault: { error: "ResourceInUseException" } });
    await patiently(2000, (timeoutMs) =>
      expect(driver.delete("f.example.com", arn, { timeoutMs })).rejects.toMatchObject({
        message: expect.stringContaining("used by"),
      }),
    );
    cloud.proxy.reset();
    await driver.delete("f.example.com", arn);
  });

  test.each([
    [{ domain_name: "not a domain" }, "domain name"],
    [{ certificate_body: "-----BEGIN X" }, "private_key"],
    [{}, "set domain_name"],
  ])("refuses %j", async (config, word) => {
    await expect(driver.create("refused", config)).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining(word),
    });
  });
});
