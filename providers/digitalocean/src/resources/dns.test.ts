import { describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { useDigitalOcean } from "../../test/testing/harness.ts";

interface Live {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly data: string;
}

describe("infra.dns", () => {
  const cloud = useDigitalOcean();
  const driver = cloud.driver("infra.dns");
  const records = async (domain: string): Promise<Live[]> => {
    const { body } = await cloud.raw("GET", `domains/${domain}/records?per_page=200`);
    return (body.domain_records as Live[]).filter(
      ({ type, name }) => type !== "SOA" && !(type === "NS" && name === "@"),
    );
  };
  const shown = async (domain: string): Promise<string[]> =>
    (await records(domain))
      .filter(({ name }) => name !== "_wfctl")
      .map(({ type, name, data }) => `${type} ${name} ${data}`)
      .toSorted();

  test("goes through its life", async () => {
    const config = {
      domain: "Example.com",
      records: [
        { type: "A", data: "203.0.113.1" },
        { type: "a", name: "www", value: "203.0.113.1", ttl: 600 },
        { type: "A", name: "www", data: "203.0.113.2" },
        { type: "CNAME", name: "api.example.com", data: "target.example.net" },
        { type: "MX", data: "mail", priority: 10 },
        { type: "TXT", name: "@", data: '"v=spf1 -all"' },
        { type: "SRV", name: "_sip._tcp", data: "sip.example.com.", priority: 1, weight: 2, port: 5060 },
        { type: "CAA", data: "letsencrypt.org", flags: 0, tag: "issue" },
      ],
    };
    const made = await driver.create("zone", config, { owner: "line/zone" });
    expect(made).toMatchObject({ providerId: "example.com", created: true, owner: "line/zone" });
    expect(made.outputs["authoritative_nameservers"]).toEqual([
      "ns1.digitalocean.com",
      "ns2.digitalocean.com",
      "ns3.digitalocean.com",
    ]);
    expect(await shown("example.com")).toEqual([
      "A @ 203.0.113.1",
      "A www 203.0.113.1",
      "A www 203.0.113.2",
      "CAA @ letsencrypt.org.",
      "CNAME api target.example.net",
      "MX @ mail.example.com",
      "SRV _sip._tcp sip.example.com",
      "TXT @ v=spf1 -all",
    ]);
    await expectQuiet(driver, "zone", config, "example.com");
    await expectQuiet(driver, "zone", { ...config, records: config.records.toReversed() }, "example.com");

    await cloud.raw("POST", "domains/example.com/records", {
      type: "A",
      name: "foreign",
      data: "203.0.113.9",
      ttl: 300,
    });
    await expectQuiet(driver, "zone", config, "example.com");
    const changed = {
      ...config,
      records: [
        { type: "A", data: "203.0.113.77" },
        { type: "A", name: "www", data: "203.0.113.2" },
        { type: "A", name: "api", data: "203.0.113.3" },
      ],
    };
    expect(await changedPaths(driver, "zone", changed, "example.com")).toEqual(["records"]);
    const before = (await records("example.com")).find(({ data }) => data === "203.0.113.1")?.id;
    await driver.update("zone", "example.com", changed);
    expect(await shown("example.com")).toEqual([
      "A @ 203.0.113.77",
      "A api 203.0.113.3",
      "A foreign 203.0.113.9",
      "A www 203.0.113.2",
    ]);
    expect((await records("example.com")).find(({ data }) => data === "203.0.113.77")?.id).toBe(before);
    await expectQuiet(driver, "zone", changed, "example.com");

    await cloud.raw("PUT", `domains/example.com/records/${before}`, { type: "A", data: "198.51.100.1" });
    expect(await changedPaths(driver, "zone", changed, "example.com")).toEqual(["records"]);
    expect(await changedPaths(driver, "zone", { ...changed, domain: "example.org" }, "example.com")).toContain(
      "domain!",
    );
    const absent = { ...changed, absent_records: [{ type: "A", name: "foreign" }] };
    await driver.update("zone", "example.com", absent);
    expect(await shown("example.com")).toEqual(["A @ 203.0.113.77", "A api 203.0.113.3", "A www 203.0.113.2"]);
    await expectQuiet(driver, "zone", absent, "example.com");
    expect((await driver.import("example.com"))?.providerId).toBe("example.com");

    await driver.delete("zone", "example.com");
    expect((await cloud.raw("GET", "domains/example.com")).status).toBe(404);
    await driver.delete("zone", "example.com");
  });

  test("a zone that is there is not taken over, but can be adopted with its records left alone", async () => {
    await cloud.raw("POST", "domains", { name: "example.net", ip_address: "203.0.113.1" });
    await expect(driver.create("example.net", {})).rejects.toMatchObject({ class: "already_exists" });
    const config = { records: [{ type: "A", name: "new", data: "203.0.113.2" }] };
    const imported = await driver.import("example.net");
    expect(imported?.inputs).toMatchObject({
      domain: "example.net",
      records: [{ type: "A", name: "@", data: "203.0.113.1" }],
    });
    await driver.update("example.net", "example.net", config);
    expect(await shown("example.net")).toEqual(["A @ 203.0.113.1", "A new 203.0.113.2"]);
    await driver.update("example.net", "example.net", {});
    expect(await shown("example.net")).toEqual(["A @ 203.0.113.1"]);
    await driver.delete("example.net", "example.net");
  });

  test("many records are remembered over several texts", async () => {
    const many = Array.from({ length: 40 }, (_, index) => ({ type: "A", name: `host-${index}`, data: "203.0.113.1" }));
    await driver.create("many.example.com", { records: many });
    await expectQuiet(driver, "many.example.com", { records: many }, "many.example.com");
    await driver.update("many.example.com", "many.example.com", { records: many.slice(0, 1) });
    expect(await shown("many.example.com")).toEqual(["A host-0 203.0.113.1"]);
    await driver.delete("many.example.com", "many.example.com");
  });

  test("records that make no sense are refused with their paths", async () => {
    const bad = [
      { type: "A", data: "nope" },
      { type: "MX", data: "x" },
      { type: "CNAME", data: "y" },
      { type: "PTR", data: "z" },
    ];
    await expect(driver.create("bad.example.com", { records: bad })).rejects.toMatchObject({
      class: "validation",
      message: expect.stringMatching(/records\.3\.type/),
    });
    await expect(driver.create("bad.example.com", { records: bad.slice(0, 3) })).rejects.toMatchObject({
      message: expect.stringMatching(/records\.0\.data.*records\.1\.priority.*records\.2\.name/),
    });
    await expect(driver.create("noname", {})).rejects.toMatchObject({
      message: expect.stringContaining("is no domain name"),
    });
  });
});
