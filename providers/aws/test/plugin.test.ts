import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ext, iac, unaryCall } from "@wfctl/contract";
import { describe, expect, onTestFinished, test } from "vitest";
import { drive, type Plugin } from "@wfctl/testkit/drive";
import { manifestText } from "../src/write-manifest.ts";
import { isMotoMissing, useAws } from "./testing/harness.ts";

test("plugin.json says what the provider is", async () => {
  const text = readFileSync(join(import.meta.dirname, "../plugin.json"), "utf8");
  expect(JSON.parse(text)).toEqual(JSON.parse(await manifestText()));
});

test("the launcher is the repository's", () => {
  const [own, original] = ["../aws", "../../../tools/launcher.sh"].map((path) =>
    readFileSync(join(import.meta.dirname, path), "utf8"),
  );
  expect(own).toBe(original);
});

const identityOf = async (plugin: Plugin) =>
  (await unaryCall(plugin.client, ext.ProviderIdentity.method.getIdentity, {})).response;

describe.skipIf(isMotoMissing)("the provider", () => {
  const cloud = useAws();
  const roleArn = () => `arn:aws:iam::${cloud.accountId}:role/deployer`;

  test("says whose account it works in", async () => {
    const { identity, labels } = await identityOf(cloud.plugin);
    expect(identity).toBe(`aws:aws:${cloud.accountId}:us-east-1:${cloud.proxy.url}`);
    expect(labels).toMatchObject({ account: cloud.accountId, region: "us-east-1" });
  });

  test("signs with the secret that it was given", async () => {
    const plugin = await cloud.start({ secret_access_key: "wrong" });
    await expect(identityOf(plugin)).rejects.toMatchObject({
      details: expect.stringContaining("SignatureDoesNotMatch"),
    });
    const storage = drive(() => plugin, "infra.storage");
    await expect(storage.create("a-bucket", {})).rejects.toMatchObject({ class: "unauthorized" });
  });

  test("works in allowed accounts only", async () => {
    const allowed = await cloud.start({ allowed_account_ids: [cloud.accountId] });
    const role = await drive(() => allowed, "infra.iam_role").create("allowed", {});
    for (const config of [{ allowed_account_ids: ["000000000001"] }, { forbidden_account_ids: [cloud.accountId] }]) {
      const plugin = await cloud.start(config);
      const failure = { class: "forbidden", message: expect.stringContaining(cloud.accountId) };
      await expect(drive(() => plugin, "infra.iam_role").create("refused", {})).rejects.toMatchObject(failure);
      await expect(drive(() => plugin, "infra.iam_role").read("allowed", role.providerId)).rejects.toMatchObject(
        failure,
      );
    }
    expect(cloud.proxy.calls.filter(({ operation }) => operation === "iam.CreateRole")).toHaveLength(1);
    await drive(() => allowed, "infra.iam_role").delete("allowed", role.providerId);
  });

  test.each([
    [
      "assume_role",
      (arn: string) => ({ assume_role: { role_arn: arn, external_id: "secret-handshake", session_name: "deploy" } }),
    ],
    ["a chain of roles", (arn: string) => ({ assume_role: [{ role_arn: arn }, { role_arn: arn }] })],
    ["upstream's role_arn", (arn: string) => ({ credentials: { type: "role_arn", roleArn: arn } })],
  ])("assumes roles: %s", async (_name, config) => {
    const plugin = await cloud.start(config(roleArn()));
    await drive(() => plugin, "infra.iam_role").list();
    const assumed = cloud.proxy.calls.filter(({ operation }) => operation === "sts.AssumeRole");
    expect(assumed.length).toBe(_name === "a chain of roles" ? 2 : 1);
    expect(assumed[0]?.body).toContain("deployer");
    // The credentials are kept for the next service.
    await drive(() => plugin, "infra.storage").list();
    expect(cloud.proxy.calls.filter(({ operation }) => operation === "sts.AssumeRole")).toHaveLength(assumed.length);
  });

  test("finds credentials as the SDK does: environment, profile, web identity", async () => {
    const folder = mkdtempSync(join(tmpdir(), "aws-config-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const { access_key_id: key, secret_access_key: secret, ...rest } = cloud.config as Record<string, string>;
    const text = [`aws_access_key_id = ${key}`, `aws_secret_access_key = ${secret}`].join("\n");
    writeFileSync(join(folder, "credentials"), `[deploy]\n${text}\n`);
    writeFileSync(join(folder, "config"), "[profile deploy]\nregion = eu-west-3\n");
    const files = {
      AWS_CONFIG_FILE: join(folder, "config"),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, "credentials"),
      AWS_ENDPOINT_URL: cloud.proxy.url,
    };
    const { region: _region, ...unplaced } = rest;
    const profile = await cloud.startAlone({ ...unplaced, profile: "deploy" }, files);
    expect((await identityOf(profile)).labels).toMatchObject({ account: cloud.accountId, region: "eu-west-3" });
    const environment = await cloud.startAlone(rest, { AWS_ACCESS_KEY_ID: key!, AWS_SECRET_ACCESS_KEY: secret! });
    expect((await identityOf(environment)).labels).toMatchObject({ account: cloud.accountId });
    writeFileSync(join(folder, "token"), "a-web-token");
    const web = { assume_role_with_web_identity: { role_arn: roleArn(), token_file: join(folder, "token") } };
    const identified = await cloud.startAlone({ ...rest, ...web });
    expect((await identityOf(identified)).labels).toMatchObject({ account: cloud.accountId });
    const nobody = await cloud.startAlone(rest);
    await expect(identityOf(nobody)).rejects.toMatchObject({
      details: expect.stringContaining("Cannot get AWS credentials"),
    });
  });

  test("repeats what was throttled and reads that failed, and nothing else", async () => {
    const driver = cloud.driver("infra.iam_role");
    cloud.proxy.fail({ operation: "iam.CreateRole", times: 2, fault: { error: "Throttling", status: 400 } });
    cloud.proxy.fail({
      operation: "iam.GetRole",
      after: 1,
      times: 2,
      fault: { error: "InternalFailure", status: 500 },
    });
    const { providerId } = await driver.create("patient", {}, { token: "t" });
    cloud.proxy.fail({ operation: "iam.CreateRole", fault: { error: "ServiceFailure", status: 503 } });
    await expect(driver.create("impatient", {}, { token: "t-2" })).rejects.toMatchObject({ class: "transient" });
    await driver.delete("patient", providerId);
  });

  test("tells errors by name, with what to do", async () => {
    const driver = cloud.driver("infra.iam_role");
    cloud.proxy.fail({ operation: "iam.CreateRole", fault: { error: "AccessDenied", status: 403 } });
    await expect(driver.create("denied", {})).rejects.toMatchObject({
      class: "forbidden",
      message: expect.stringMatching(/Cannot create role "denied": .*; allow iam:CreateRole to these credentials/),
    });
    cloud.proxy.fail({ operation: "iam.CreateRole", fault: { error: "LimitExceeded", status: 409 } });
    await expect(driver.create("many", {})).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining("higher quota"),
    });
    cloud.proxy.fail({ operation: "iam.CreateRole", fault: { error: "NeverHeardOf", status: 400 } });
    await expect(driver.create("odd", {})).rejects.toMatchObject({
      class: "unknown",
      message: expect.stringContaining("UNEXPECTED_CLOUD_ERROR"),
    });
  });

  test("keeps within the rates of the API where it is not told otherwise", async () => {
    const plugin = await cloud.start({ limit_rates: true });
    const driver = drive(() => plugin, "infra.iam_role");
    const { providerId } = await driver.create("limited", {});
    await driver.delete("limited", providerId);
    const { response } = await unaryCall(plugin.client, ext.ResourceSchemas.method.listResourceTypes, {});
    expect(response.provider).toMatchObject({ ownLimits: true, clientTokens: true });
  });

  test("stops waiting when the run is stopped, and tells what there is", async () => {
    const driver = cloud.driver("infra.database");
    cloud.proxy.rewrite("rds.DescribeDBInstances", (body) => body.replaceAll(">available<", ">creating<"));
    const waiting = driver.create("stopped", { master_password: "long-enough" }, { run: "run-1", token: "t-stop" });
    waiting.catch(() => {});
    const looks = () => cloud.proxy.calls.filter(({ operation }) => operation === "rds.DescribeDBInstances").length;
    await expect.poll(looks).toBeGreaterThan(1);
    await unaryCall(cloud.plugin.client, ext.RunControl.method.stop, { run: "run-1" });
    await expect(waiting).rejects.toMatchObject({
      class: "cancelled",
      partialId: expect.stringContaining(":db:stopped"),
    });
    cloud.proxy.reset();
    await driver.delete("stopped", `arn:aws:rds:us-east-1:${cloud.accountId}:db:stopped`);
  });

  test("refuses a configuration that it cannot work with", async () => {
    await expect(cloud.start({ mode: "mock" })).rejects.toMatchObject({ details: expect.stringContaining("local") });
    await expect(cloud.start({ regoin: "x" })).rejects.toMatchObject({ details: expect.stringContaining('"region"') });
    const plugin = await cloud.start({});
    const capabilities = await unaryCall(plugin.client, iac.IaCProviderRequired.method.capabilities, {});
    expect(capabilities.response.computePlanVersion).toBe("v2");
  });
});
