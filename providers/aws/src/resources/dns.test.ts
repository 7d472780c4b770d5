import { CreateVpcCommand, EC2Client } from "@aws-sdk/client-ec2";
import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  ListHostedZonesCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
  type Change,
} from "@aws-sdk/client-route-53";
import { beforeAll, describe, expect, test } from "vitest";
import { changedPaths, expectQuiet } from "@wfctl/testkit/drive-expectations";
import { createInPieces, isMotoMissing, useAws } from "../../test/testing/harness.ts";

describe.skipIf(isMotoMissing)("infra.dns", () => {
  const cloud = useAws();
  const driver = cloud.driver("infra.dns");
  let route53: Route53Client;
  beforeAll(() => {
    route53 = new Route53Client(cloud.sdk);
  });
  async function recordsOf(id: string): Promise<string[]> {
    const { ResourceRecordSets: records = [] } = await route53.send(
      new ListResourceRecordSetsCommand({ HostedZoneId: id }),
    );
    return records
      .filter(({ Type }) => Type !== "SOA" && Type !== "NS")
      .map(({ Name, Type, TTL, ResourceRecords, AliasTarget }) =>
        [Name, Type, TTL ?? "alias", ...(ResourceRecords?.map(({ Value }) => Value) ?? [AliasTarget?.DNSName])].join(
          " ",
        ),
      )
      .filter((text) => !text.startsWith("_wfctl"));
  }
  async function zoneCount(): Promise<number> {
    return (await route53.send(new ListHostedZonesCommand({}))).HostedZones!.length;
  }
  const change = (id: string, changes: Change[]) =>
    route53.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: id, ChangeBatch: { Changes: changes } }));

  const whole = {
    domain_name: "example.com",
    comment: "test",
    records: [
      { name: "@", type: "A", values: ["192.0.2.1", "192.0.2.2"], ttl: 60 },
      { name: "www", type: "CNAME", values: ["example.com."] },
      { name: "lb.example.com", type: "A", alias: { name: "front.elb.amazonaws.com", zone_id: "Z35SXDOTRQ7X7K" } },
      { name: "mail", type: "TXT", values: ["v=spf1 -all"] },
      { name: "*", type: "MX", values: ["10 mail.example.com"] },
      { name: "split", type: "A", values: ["192.0.2.3"], set_identifier: "one", weight: 10 },
      { name: "split", type: "A", values: ["192.0.2.4"], set_identifier: "two", weight: 20 },
    ],
    tags: { env: "test" },
  };

  test("goes through its life", async () => {
    const made = await driver.create("zone", whole, { token: "t-zone", owner: "line/zone" });
    const id = made.providerId;
    expect(id).toMatch(/^\/hostedzone\/[A-Z0-9]+$/);
    expect(made).toMatchObject({
      created: true,
      outputs: { zone_id: id, domain_name: "example.com.", private: false, authority: { dns_host: "Route53" } },
    });
    expect((made.outputs["name_servers"] as string[]).length).toBeGreaterThan(0);
    expect(await recordsOf(id)).toEqual([
      "example.com. A 60 192.0.2.1 192.0.2.2",
      "*.example.com. MX 300 10 mail.example.com",
      "lb.example.com. A alias front.elb.amazonaws.com",
      'mail.example.com. TXT 300 "v=spf1 -all"',
      "split.example.com. A 300 192.0.2.3",
      "split.example.com. A 300 192.0.2.4",
      "www.example.com. CNAME 300 example.com",
    ]);
    await expectQuiet(driver, "zone", whole, id);

    const changed = {
      ...whole,
      comment: "",
      records: [...whole.records.slice(2), { name: "www", type: "CNAME", values: ["other.example.com"], ttl: 30 }],
      tags: {},
    };
    const live = (await driver.read("zone", id))!;
    const plan = await driver.diff("zone", changed, live);
    expect(plan.changes.map(({ path }) => path).toSorted()).toEqual(["comment", "records", "tags.env"]);
    expect(plan.changes.find(({ path }) => path === "records")).toMatchObject({
      old: [{ name: "@" }, { name: "www", values: ["example.com"] }],
      new: [{ name: "www", values: ["other.example.com"] }],
    });
    await driver.update("zone", id, changed);
    expect(await recordsOf(id)).toContain("www.example.com. CNAME 30 other.example.com");
    expect(await recordsOf(id)).toHaveLength(6);
    await expectQuiet(driver, "zone", changed, id);
    expect((await driver.diff("zone", { ...changed, domain_name: "example.org" }, live)).needsReplace).toBe(true);

    await driver.delete("zone", id);
    expect(await zoneCount()).toBe(0);
    expect(await driver.read("zone", id)).toBeUndefined();
    await driver.delete("zone", id);
  });

  test("leaves records of others alone, and does not take them over in passing", async () => {
    const config = { records: [{ name: "mine", type: "A", values: ["192.0.2.1"] }] };
    const { providerId: id } = await driver.create("shared.org", config);
    const theirs = {
      Name: "theirs.shared.org",
      Type: "A" as const,
      TTL: 60,
      ResourceRecords: [{ Value: "192.0.2.9" }],
    };
    await change(id, [{ Action: "CREATE", ResourceRecordSet: theirs }]);
    await expectQuiet(driver, "shared.org", config, id);
    await driver.update("shared.org", id, { records: [] });
    expect(await recordsOf(id)).toEqual(["theirs.shared.org. A 60 192.0.2.9"]);
    const greedy = { records: [{ name: "theirs", type: "A", values: ["192.0.2.1"] }] };
    await expect(driver.update("shared.org", id, greedy)).rejects.toMatchObject({ class: "validation" });
    const same = { records: [{ name: "theirs", type: "A", ttl: 60, values: ["192.0.2.9"] }] };
    await driver.update("shared.org", id, same);
    await expectQuiet(driver, "shared.org", same, id);
    await driver.update("shared.org", id, { ...greedy, allow_overwrite: true });
    expect(await recordsOf(id)).toEqual(["theirs.shared.org. A 300 192.0.2.1"]);
    await change(id, [{ Action: "CREATE", ResourceRecordSet: { ...theirs, Name: "new.shared.org" } }]);
    await expect(driver.delete("shared.org", id)).rejects.toMatchObject({
      message: expect.stringContaining("force_destroy"),
    });
    await driver.update("shared.org", id, { ...greedy, allow_overwrite: true, force_destroy: true });
    await driver.delete("shared.org", id);
    expect(await zoneCount()).toBe(0);
  });

  test("shows drift behind its back and repairs it", async () => {
    const config = {
      domain: "drift.org",
      records: [
        { type: "A", values: ["192.0.2.1"] },
        { name: "a", type: "A", values: ["192.0.2.2"] },
      ],
    };
    const { providerId: id } = await driver.create("drift", config);
    const record = (name: string, value: string) => ({
      Name: name,
      Type: "A" as const,
      TTL: 300,
      ResourceRecords: [{ Value: value }],
    });
    await change(id, [
      { Action: "UPSERT", ResourceRecordSet: record("drift.org", "192.0.2.99") },
      { Action: "DELETE", ResourceRecordSet: record("a.drift.org", "192.0.2.2") },
    ]);
    expect(await changedPaths(driver, "drift", config, id)).toEqual(["records"]);
    await driver.update("drift", id, config);
    await expectQuiet(driver, "drift", config, id);
    await driver.delete("drift", id);
  });

  test("is imported by id and by domain, and found by domain for an adoption", async () => {
    const { HostedZone: zone } = await route53.send(
      new CreateHostedZoneCommand({ Name: "theirs.org", CallerReference: "x" }),
    );
    const id = zone!.Id!;
    await change(id, [
      {
        Action: "CREATE",
        ResourceRecordSet: { Name: "a.theirs.org", Type: "A", TTL: 5, ResourceRecords: [{ Value: "192.0.2.1" }] },
      },
    ]);
    for (const given of [id, id.replace("/hostedzone/", ""), "theirs.org", "Theirs.org."]) {
      expect(await driver.import(given)).toMatchObject({
        name: "theirs.org",
        providerId: id,
        inputs: { records: [{ name: "a", type: "A", ttl: 5, values: ["192.0.2.1"] }] },
      });
    }
    expect(await driver.read("zone", "theirs.org")).toMatchObject({ providerId: id });
    expect(await driver.read("theirs.org", "")).toMatchObject({ providerId: id });
    expect(await driver.import("nobody.org")).toBeUndefined();
    await expect(driver.create("theirs.org", {})).rejects.toMatchObject({ class: "already_exists" });
    const config = { records: [{ name: "a", type: "A", ttl: 5, values: ["192.0.2.1"] }] };
    await driver.update("theirs.org", id, config, { owner: "line/theirs" });
    await expectQuiet(driver, "theirs.org", config, id);
    expect(await driver.getOwner("theirs.org", id)).toBe("line/theirs");
    expect(await driver.list()).toContainEqual(expect.objectContaining({ name: "theirs.org" }));
    await driver.delete("theirs.org", id);
  });

  test("a private zone is seen in its VPCs", async () => {
    const ec2 = new EC2Client(cloud.sdk);
    const ids = await Promise.all(
      ["10.1.0.0/16", "10.2.0.0/16"].map(
        async (CidrBlock) => (await ec2.send(new CreateVpcCommand({ CidrBlock }))).Vpc!.VpcId!,
      ),
    );
    const config = {
      private: true,
      vpcs: [{ vpc_id: ids[0]! }],
      records: [{ name: "db", type: "A", values: ["10.1.0.5"] }],
    };
    const { providerId: id } = await driver.create("internal.org", config);
    await expectQuiet(driver, "internal.org", config, id);
    const both = { ...config, vpcs: ids.map((vpc_id) => ({ vpc_id })) };
    expect(await changedPaths(driver, "internal.org", both, id)).toEqual(["vpcs"]);
    await driver.update("internal.org", id, both);
    await expectQuiet(driver, "internal.org", both, id);
    const open = await driver.create("internal.org", {});
    expect(open.providerId).not.toBe(id);
    await driver.delete("internal.org", open.providerId);
    await driver.delete("internal.org", id);
  });

  test("records in a zone of others are a resource of their own", async () => {
    const { providerId: zone, outputs } = await driver.create("sets.org", {
      records: [{ name: "base", type: "A", values: ["192.0.2.1"] }],
    });
    const config = { hosted_zone_id: zone, records: [{ name: "www", type: "A", values: ["192.0.2.2"] }] };
    cloud.proxy.fail({ operation: "route53.ChangeResourceRecordSets", fault: "lose-reply" });
    await expect(driver.create("www", config, { token: "t-set" })).rejects.toMatchObject({ class: "transient" });
    const made = await driver.create("www", config, { token: "t-set" });
    expect(made.providerId).toMatch(/^\/hostedzone\/[A-Z0-9]+\/records\/r[0-9a-f]{8}$/);
    expect(made.outputs).toMatchObject({
      hosted_zone_id: outputs["hosted_zone_id"],
      name: "sets.org",
      record_count: 1,
    });
    expect(await driver.lookup("www", "t-set")).toMatchObject({ providerId: made.providerId });
    await expectQuiet(driver, "www", config, made.providerId);
    await expectQuiet(driver, "sets.org", { records: [{ name: "base", type: "A", values: ["192.0.2.1"] }] }, zone);
    const changed = { ...config, records: [{ name: "web", type: "A", values: ["192.0.2.3"] }] };
    expect(await changedPaths(driver, "www", changed, made.providerId)).toEqual(["records"]);
    await driver.update("www", made.providerId, changed);
    expect(await recordsOf(zone)).toEqual(["base.sets.org. A 300 192.0.2.1", "web.sets.org. A 300 192.0.2.3"]);
    await expect(driver.delete("sets.org", zone)).rejects.toMatchObject({ class: "validation" });
    await driver.delete("www", made.providerId);
    expect(await driver.read("www", made.providerId)).toBeUndefined();
    expect(await driver.lookup("www", "t-set")).toBeUndefined();
    await driver.delete("www", made.providerId);
    await driver.delete("sets.org", zone);
    await expect(driver.create("www", { ...config, hosted_zone_id: "Z0NOWHERE0" })).rejects.toMatchObject({
      class: "validation",
    });
  });

  test("a create that is cut off after every single one of its calls ends with nothing missing and nothing twice", async () => {
    expect(await createInPieces(cloud, () => driver.create("cut", whole, { token: "t-cut" }))).toBeGreaterThan(2);
    expect(await zoneCount()).toBe(1);
    const found = await driver.lookup("cut", "t-cut");
    await expectQuiet(driver, "cut", whole, found!.providerId);
    await driver.delete("cut", found!.providerId);
    expect(await driver.lookup("cut", "t-cut")).toBeUndefined();
  });

  test("keeps count of very many records, and waits for the name servers", async () => {
    let looks = 0;
    cloud.proxy.rewrite("route53.GetChange", (body) => {
      looks += 1;
      return looks <= 2 ? body.replace("INSYNC", "PENDING") : undefined;
    });
    const records = Array.from({ length: 450 }, (_, index) => ({
      name: `r${index}`,
      type: "A",
      values: [`10.0.${index >> 8}.${index & 255}`],
    }));
    const { providerId: id } = await driver.create("many.org", { records });
    expect(looks).toBeGreaterThan(2);
    await expectQuiet(driver, "many.org", { records }, id);
    await driver.update("many.org", id, { records: records.slice(0, 10) });
    await expectQuiet(driver, "many.org", { records: records.slice(0, 10) }, id);
    expect(await recordsOf(id)).toHaveLength(10);
    await driver.delete("many.org", id);
  });

  test.each([
    [{ private: true }, "VPC"],
    [{ records: [{ type: "A" }] }, "values or alias"],
    [{ records: [{ type: "A", values: ["1"], weight: 3 }] }, "set_identifier"],
    [
      {
        records: [
          { type: "A", values: ["1"] },
          { name: "@", type: "A", values: ["2"] },
        ],
      },
      "twice",
    ],
    [{ records: [{ name: "x", type: "CNAME", values: ["a", "b"] }] }, "one value"],
    [{ records: [{ type: "CNAME", values: ["a"] }] }, "alias"],
    [{ hosted_zone_id: "Z1", records: [] }, "expected a record"],
  ])("refuses %j", async (config, word) => {
    await expect(driver.create("refused.org", config)).rejects.toMatchObject({
      class: "validation",
      message: expect.stringContaining(word),
    });
  });
});
