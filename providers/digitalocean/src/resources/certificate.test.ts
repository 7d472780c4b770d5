import { describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { useDigitalOcean } from "../../test/testing/harness.ts";

const pem = (kind: string) => `-----BEGIN ${kind}-----\nAAAA\n-----END ${kind}-----\n`;

describe("infra.certificate", () => {
  const cloud = useDigitalOcean();
  const driver = cloud.driver("infra.certificate");

  test("goes through its life", async () => {
    await cloud.raw("POST", "domains", { name: "example.com" });
    const config = { dns_names: ["www.example.com", "example.com"] };
    const made = await driver.create("web", config);
    const id = made.providerId;
    expect(made).toMatchObject({
      created: true,
      outputs: { state: "verified", type: "lets_encrypt" },
      revisitAt: expect.any(String),
    });
    expect((await cloud.raw("GET", `certificates/${id}`)).body.certificate).toMatchObject({
      name: "web",
      state: "verified",
    });
    await expectQuiet(driver, "web", { domains: config.dns_names.toReversed() }, id);
    expect(await changedPaths(driver, "web", { dns_names: ["example.com"] }, id)).toEqual(["dns_names!"]);

    // A renewal: another id under the same name.
    const renewed = { ...cloud.account.certificates.own(id)!, id: "11111111-2222-3333-4444-555555555555" };
    cloud.account.certificates.remove(id);
    cloud.account.certificates.add(renewed.id, renewed);
    expect((await driver.read("web", id))?.providerId).toBe(renewed.id);
    await expectQuiet(driver, "web", config, id);
    for (const handle of [renewed.id, "web"]) expect((await driver.import(handle))?.providerId).toBe(renewed.id);

    await driver.delete("web", id);
    expect(cloud.account.certificates.all()).toEqual([]);
    await driver.delete("web", id);
  });

  test("a custom one keeps its key to itself, and waits to be in use no more before it goes", async () => {
    const config = { private_key: pem("PRIVATE KEY"), leaf_certificate: pem("CERTIFICATE") };
    const made = await driver.create("own", config);
    expect(JSON.stringify(made)).not.toContain("PRIVATE KEY");
    await expectQuiet(driver, "own", config, made.providerId);
    const recorded = { ...made, inputs: config };
    const other = await driver.diff("own", { ...config, private_key: pem("RSA PRIVATE KEY") }, recorded);
    expect(other.changes).toMatchObject([{ path: "private_key", forceNew: true }]);
    const rule = {
      entry_protocol: "https",
      entry_port: 443,
      target_protocol: "http",
      target_port: 80,
      certificate_id: made.providerId,
    };
    const { body } = await cloud.raw("POST", "load_balancers", {
      name: "lb",
      region: "nyc3",
      forwarding_rules: [rule],
    });
    const refused = cloud.emulator.journal.next(
      ({ operation, status }) => operation === "certificates_delete" && status === 403,
      AbortSignal.timeout(120_000),
    );
    const gone = driver.delete("own", made.providerId);
    await refused;
    await cloud.raw("DELETE", `load_balancers/${body.load_balancer.id}`);
    await gone;
    expect(cloud.account.certificates.all()).toEqual([]);
  });

  test("one that is not issued fails with its id; a name that is taken, and one without names, are refused", async () => {
    await expect(driver.create("bad", { dns_names: ["refused.example.com"] })).rejects.toMatchObject({
      class: "unknown",
      partialId: expect.any(String),
    });
    await expect(driver.create("bad", { dns_names: ["example.com"] })).rejects.toMatchObject({
      class: "already_exists",
    });
    await expect(driver.create("none", {})).rejects.toMatchObject({ message: expect.stringContaining("dns_names") });
    await expect(driver.create("far", { dns_names: ["example.net"] })).rejects.toMatchObject({ class: "validation" });
  });
});
