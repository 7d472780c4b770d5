import { bytesToObject, iac, serverStreamCall, unaryCall } from "@wfctl/contract";
import { describe, expect, test } from "vitest";
import { useDigitalOcean } from "./testing/harness.ts";

const json = (value: object): Uint8Array => Buffer.from(JSON.stringify(value));

describe("optional services", () => {
  const cloud = useDigitalOcean({ spaces: true });
  const image = { registry_type: "DOCKER_HUB", repository: "nginx", tag: "1" };

  test("regions are those that take something new", async () => {
    const { response } = await unaryCall(cloud.plugin.client, iac.IaCProviderRegionLister.method.listRegions, {});
    const names = response.regions.map(({ name }) => name);
    expect(names).toContain("fra1");
    expect(names).not.toContain("nyc2");
    expect(response.regions.find(({ name }) => name === "fra1")?.displayName).toBe("Frankfurt 1");
  });

  test("a plan is checked for closed and unknown regions, and for networks of another region or kind", async () => {
    const action = (name: string, type: string, config: object) => ({
      action: "create",
      resource: { name, type, configJson: json(config) },
    });
    const plan = {
      actions: [
        action("net", "infra.vpc", { region: "fra1" }),
        action("web", "infra.droplet", { region: "nyc3", vpc_uuid: "${net.id}" }),
        action("db", "infra.database", { region: "fra1", vpc_ref: "${net.id}" }),
        action("app", "infra.container_service", { image: "nginx", region: "fra", vpc_ref: "${db.id}" }),
        action("old", "infra.volume", { region: "nyc2", size_gb: 1 }),
        action("far", "infra.volume", { region: "mars1".slice(0, 3) + "9", size_gb: 1 }),
        action("bad", "infra.volume", { sise_gb: 1 }),
      ],
    };
    const { response } = await unaryCall(cloud.plugin.client, iac.IaCProviderValidator.method.validatePlan, { plan });
    const found = response.diagnostics.map(({ resource, field, message }) => `${resource}.${field}: ${message}`);
    expect(found).toEqual(
      expect.arrayContaining([
        'web.vpc_uuid: Network "net" is in fra1, "web" in nyc3',
        'app.vpc_ref: "db" is of type infra.database, expected infra.vpc',
        'old.region: Region "nyc2" takes nothing new',
        'far.region: DigitalOcean lists no region "mar9"',
        expect.stringContaining("bad.sise_gb: unknown key"),
      ]),
    );
    expect(found.filter((each) => each.startsWith("db.") || each.startsWith("net."))).toEqual([]);
  });

  test("a Spaces key is revoked, also one that is gone; other sources are refused", async () => {
    const { body } = await cloud.raw("POST", "spaces/keys", { name: "old", grants: [] });
    const revoke = (source: string, credentialId: string) =>
      unaryCall(cloud.plugin.client, iac.IaCProviderCredentialRevoker.method.revokeProviderCredential, {
        source,
        credentialId,
      });
    await revoke("digitalocean.spaces", body.key.access_key);
    expect((await cloud.raw("GET", `spaces/keys/${body.key.access_key}`)).status).toBe(404);
    await revoke("digitalocean.spaces", body.key.access_key);
    await expect(revoke("aws.iam", "x")).rejects.toThrow("aws.iam");
  });

  test("logs come as they were written, and with follow as they are written", async () => {
    const { app } = (await cloud.raw("POST", "apps", { spec: { name: "talk", services: [{ name: "web", image }] } }))
      .body;
    const read = async (request: object) => {
      const chunks: { source: string; text: string }[] = [];
      const base = { resourceName: "talk", resourceType: "infra.container_service", providerId: app.id };
      for await (const chunk of serverStreamCall(cloud.plugin.client, iac.IaCProviderLogCapture.method.captureLogs, {
        ...base,
        ...request,
      })) {
        if (chunk.data.length > 0) chunks.push({ source: chunk.source, text: Buffer.from(chunk.data).toString() });
      }
      return chunks;
    };
    const past = await read({ tailLines: 2, logType: 1 });
    expect(past).toHaveLength(1);
    expect(past[0]!.text.split("\n")).toEqual([
      expect.stringContaining("build line 199"),
      expect.stringContaining("build line 200"),
      "",
    ]);
    const live = await read({ tailLines: 1, follow: true, durationSeconds: 5n, componentName: "web" });
    expect(live.map(({ source }) => source)).toContain("live");
    expect(live.map(({ text }) => text).join("")).toContain("web 2026-01-01T00:00:02Z run line 3 (live)");
    await expect(read({ resourceType: "infra.vpc" })).rejects.toThrow("no logs");
    await cloud.raw("DELETE", `apps/${app.id}`);
  });

  test("needs become modules that can be applied as they stand", async () => {
    const requirements = [
      { key: "db.main", kind: 4 },
      { key: "cache.main", kind: 5 },
      { key: "files.main", kind: 6 },
      { key: "telemetry", kind: 1 },
      { key: "web.api.shop", kind: 2 },
      { key: "bus", kind: 3 },
    ];
    const map = (request: object) =>
      unaryCall(cloud.plugin.client, iac.IaCProviderRequirementMapper.method.mapRequirements, request);
    const { response } = await map({ provider: "digitalocean", runtime: 5, requirements });
    expect(response.acceptedKeys).toEqual(requirements.map(({ key }) => key));
    const telemetry = response.modules.find(({ satisfies }) => satisfies.includes("telemetry"))!;
    const config = bytesToObject(telemetry.configJson, "config")!;
    const driver = cloud.driver(telemetry.type);
    const made = await driver.create(telemetry.name, { ...config, provider: "do" });
    expect(made.outputs["expose"]).toBe("internal");
    await driver.delete(telemetry.name, made.providerId);
    const ecs = await map({ provider: "digitalocean", runtime: 2, requirements });
    expect(ecs.response.rejected).toHaveLength(6);
    await expect(map({ provider: "aws", requirements })).rejects.toThrow("aws");
  });

  test("a migration is repaired by a job that leaves the app as it was", async () => {
    const { app } = (await cloud.raw("POST", "apps", { spec: { name: "shop", services: [{ name: "web", image }] } }))
      .body;
    const repair = async (sourceDir: string, confirmForce = "FORCE_MIGRATION_METADATA") => {
      const request = {
        appResourceName: "shop",
        databaseResourceName: "db",
        jobImage: "acme/migrate:1",
        sourceDir,
        expectedDirtyVersion: "7",
        forceVersion: "6",
        confirmForce,
        env: { DATABASE_URL: "postgres://hush" },
        timeoutSeconds: 60,
      };
      const { response } = await unaryCall(
        cloud.plugin.client,
        iac.IaCProviderMigrationRepairer.method.repairDirtyMigration,
        { request },
        { deadline: Date.now() + 60_000 },
      );
      return response.result!;
    };
    expect(await repair("/migrations", "no")).toMatchObject({ status: "approval_required" });
    expect(await repair("/migrations")).toMatchObject({
      status: "succeeded",
      logs: expect.stringContaining("wfctl-migration-repair"),
    });
    expect(await repair("/fail")).toMatchObject({ status: "failed", diagnostics: [{ phase: "FAILED" }] });
    expect((await cloud.raw("GET", `apps/${app.id}`)).body.app.spec.jobs).toBeUndefined();
    await cloud.raw("DELETE", `apps/${app.id}`);
  });

  test("ownership and enumeration find what carries the mark", async () => {
    const volumes = cloud.driver("infra.volume");
    const { providerId } = await volumes.create(
      "owned",
      { size_gb: 1, tags: ["find-me"] },
      { token: "t", owner: "line/owned" },
    );
    const owners = await unaryCall(cloud.plugin.client, iac.IaCProviderOwnership.method.listOwners, {
      owner: "line/owned",
    });
    expect(owners.response.resources.map(({ ref }) => ref?.providerId)).toEqual([providerId]);
    const tagged = await unaryCall(cloud.plugin.client, iac.IaCProviderEnumerator.method.enumerateByTag, {
      tag: "find-me",
    });
    expect(tagged.response.refs).toMatchObject([{ type: "infra.volume", providerId }]);
    await volumes.delete("owned", providerId);
  });

  test("drift is told both ways: gone, changed, and in sync", async () => {
    const vpcs = cloud.driver("infra.vpc");
    const ids = Object.fromEntries(
      await Promise.all(
        ["same", "other", "gone"].map(
          async (name) => [name, (await vpcs.create(name, { description: "d" })).providerId] as const,
        ),
      ),
    );
    await cloud.raw("PATCH", `vpcs/${ids["other"]}`, { description: "changed" });
    await cloud.raw("DELETE", `vpcs/${ids["gone"]}`);
    const refs = Object.entries(ids).map(([name, providerId]) => ({
      name,
      type: "infra.vpc",
      providerId: String(providerId),
    }));
    const specs = Object.fromEntries(
      Object.keys(ids).map((name) => [name, { name, type: "infra.vpc", configJson: json({ description: "d" }) }]),
    );
    const { response } = await unaryCall(
      cloud.plugin.client,
      iac.IaCProviderDriftConfigDetector.method.detectDriftConfig,
      { refs, specs },
    );
    expect(response.drifts.map(({ name, class: kind, fields }) => [name, kind, fields])).toEqual([
      ["same", iac.DriftClass.IN_SYNC, []],
      ["other", iac.DriftClass.CONFIG, ["description"]],
      ["gone", iac.DriftClass.GHOST, []],
    ]);
    for (const name of ["same", "other"]) await vpcs.delete(name, String(ids[name]));
  });

  test("upstream's state lives in a bucket that bootstrap makes", async () => {
    const { method } = iac.IaCStateBackend;
    const config = {
      bucket: "state",
      region: "fra1",
      endpoint: cloud.config["spaces_endpoint"],
      accessKey: cloud.config["spaces_access_key"],
      secretKey: cloud.config["spaces_secret_key"],
    };
    const configJson = json(config);
    const bootstrap = () =>
      unaryCall(cloud.plugin.client, iac.IaCProviderRequired.method.bootstrapStateBackend, { configJson });
    const { response } = await bootstrap();
    expect(response.result).toMatchObject({ bucket: "state", region: "fra1", envVars: { SPACES_BUCKET: "state" } });
    await bootstrap();
    await unaryCall(cloud.plugin.client, method.configure, { backendName: "spaces", configJson });
    await unaryCall(cloud.plugin.client, method.lock, { resourceId: "web" });
    await expect(unaryCall(cloud.plugin.client, method.lock, { resourceId: "web" })).rejects.toThrow("locked by");
    const state = {
      resourceId: "web",
      resourceType: "infra.droplet",
      provider: "do",
      outputsJson: json({ ip: "1" }),
      configJson: json({ size: "s" }),
    };
    await unaryCall(cloud.plugin.client, method.saveState, { state });
    const bucket = cloud.account.buckets.get("state")!;
    expect([...bucket.objects.keys()].toSorted()).toEqual(["iac-state/web.json", "iac-state/web.lock"]);
    const listed = await unaryCall(cloud.plugin.client, method.listStates, {
      filter: { resource_type: "infra.droplet" },
    });
    expect(listed.response.states.map(({ resourceId }) => resourceId)).toEqual(["web"]);
    await unaryCall(cloud.plugin.client, method.unlock, { resourceId: "web" });
    await unaryCall(cloud.plugin.client, method.deleteState, { resourceId: "web" });
    expect(bucket.objects.size).toBe(0);
  });
});
