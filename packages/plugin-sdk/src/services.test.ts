import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { bytesToObject, decodeDrift, encodeSpec, ext, iac, unaryCall } from "@wfctl/contract";
import type { JsonObject } from "@wfctl/model";
import { expect, test } from "vitest";
import { generateManifest } from "./index.ts";
import { driveUnary, valueOf } from "./testdata/drive.ts";
import { notesProvider } from "./testdata/notes.ts";
import { startConfigured } from "./testdata/start-plugin.ts";

const file = join(import.meta.dirname, "testdata/notes.ts");
const type = "test.note";
const ref = (name: string) => ({ name, type, providerId: `id-${name}` });
const spec = (name: string, config: JsonObject) => encodeSpec({ name, type, config, dependsOn: [] });

async function start() {
  const { client } = await startConfigured(file, { account: "a" });
  const driver = driveUnary(client);
  for (const name of ["a", "b"])
    valueOf(await driver.create(name, { text: name, secret: "s3cr3t-value" }, { owner: `o/${name}` }));
  return { client, driver };
}

test("drift: in sync, changed and gone are told apart, with the values that differ", async () => {
  const { client } = await start();
  const request = {
    refs: [ref("a"), ref("b"), ref("c")],
    specs: { a: spec("a", { text: "a" }), b: spec("b", { text: "other" }) },
  };
  const expected = [
    { name: "a", drifted: false, class: "in-sync" },
    { name: "b", drifted: true, class: "config", fields: ["text"], expected: { text: "other" }, actual: { text: "b" } },
    { name: "c", drifted: true, class: "ghost" },
  ];
  const config = await unaryCall(client, iac.IaCProviderDriftConfigDetector.method.detectDriftConfig, request);
  expect(config.response.drifts.map(decodeDrift)).toMatchObject(expected);
  const specs = await unaryCall(client, iac.IaCProviderDriftDetector.method.detectDriftWithSpecs, request);
  expect(specs.response.drifts.map(decodeDrift)).toMatchObject(expected);
  const presence = await unaryCall(client, iac.IaCProviderDriftDetector.method.detectDrift, { refs: request.refs });
  expect(presence.response.drifts.map((each) => decodeDrift(each).class)).toEqual(["in-sync", "in-sync", "ghost"]);
});

test("owners are read, written and listed; a tag finds what carries it", async () => {
  const { client } = await start();
  const { getOwner, setOwner, listOwners } = iac.IaCProviderOwnership.method;
  expect((await unaryCall(client, getOwner, { ref: ref("a") })).response.owner).toBe("o/a");
  await unaryCall(client, setOwner, { ref: ref("a"), owner: "team" });
  const owned = (await unaryCall(client, listOwners, { owner: "team" })).response.resources;
  expect(owned.map((each) => [each.ref?.name, each.owner])).toEqual([["a", "team"]]);
  await expect(unaryCall(client, setOwner, { ref: ref("c"), owner: "team" })).rejects.toMatchObject({
    code: grpc.status.NOT_FOUND,
  });
  const tagged = await unaryCall(client, iac.IaCProviderEnumerator.method.enumerateByTag, { tag: "o/b" });
  expect(tagged.response.refs.map(({ providerId }) => providerId)).toEqual(["id-b"]);
  const all = await unaryCall(client, iac.IaCProviderEnumerator.method.enumerateAll, { resourceType: type });
  expect(all.response.outputs.map(({ name }) => name)).toEqual(["a", "b"]);
  await expect(
    unaryCall(client, iac.IaCProviderEnumerator.method.enumerateAll, { resourceType: "test.plain" }),
  ).rejects.toMatchObject({ code: grpc.status.UNIMPLEMENTED });
});

test("Status tells of refs, or of everything, without secrets", async () => {
  const { client } = await start();
  const { status } = iac.IaCProviderRequired.method;
  const some = (await unaryCall(client, status, { refs: [ref("b"), ref("c")] })).response.statuses;
  expect(some.map((each) => [each.name, each.status])).toEqual([
    ["b", "running"],
    ["c", "unknown"],
  ]);
  const all = (await unaryCall(client, status, {})).response.statuses;
  expect(all.map(({ name }) => name)).toEqual(["a", "b"]);
  expect(all.map(({ outputsJson }) => Buffer.from(outputsJson).toString()).join()).not.toContain("s3cr3t-value");
});

test("Import gives a record without secrets, or NOT_FOUND", async () => {
  const { client } = await start();
  const method = iac.IaCProviderRequired.method.import;
  const { state } = (await unaryCall(client, method, { providerId: "id-a", resourceType: type })).response;
  expect(state).toMatchObject({
    name: "a",
    type,
    provider: "notes",
    providerId: "id-a",
    appliedConfigSource: "adoption",
  });
  expect(bytesToObject(state!.appliedConfigJson, "")).toMatchObject({ text: "a", shelf: "main" });
  expect(bytesToObject(state!.outputsJson, "")).toEqual({ text: "a", pid: expect.any(Number) });
  await expect(unaryCall(client, method, { providerId: "id-x", resourceType: type })).rejects.toMatchObject({
    code: grpc.status.NOT_FOUND,
    details: expect.stringContaining("iac: resource not found"),
  });
});

test("Destroy goes on after a failure and names what is left", async () => {
  const { client, driver } = await start();
  valueOf(await driver.update("a", "id-a", { text: "t", fail: "stuck" }));
  const { result } = (await unaryCall(client, iac.IaCProviderRequired.method.destroy, { refs: [ref("a"), ref("b")] }))
    .response;
  expect(result?.destroyed).toEqual(["b"]);
  expect(result?.errors).toMatchObject([{ resource: "a", action: "delete", error: "still in use" }]);
});

test("Plan compares wishes with records", async () => {
  const { client } = await start();
  const recorded = (name: string, text: string) => ({
    name,
    type,
    providerId: `id-${name}`,
    appliedConfigJson: Buffer.from(JSON.stringify({ provider: "p", text, shelf: "left" })),
  });
  const { plan } = (
    await unaryCall(client, iac.IaCProviderRequired.method.plan, {
      desired: [
        spec("new", { text: "n" }),
        spec("same", { text: "s", shelf: "left" }),
        spec("edit", { text: "after", shelf: "left" }),
        spec("move", { text: "m", shelf: "right" }),
      ],
      current: [recorded("same", "s"), recorded("edit", "before"), recorded("move", "m"), recorded("gone", "g")],
    })
  ).response;
  expect(plan?.actions.map((each) => [each.action, each.resource?.name])).toEqual([
    ["create", "new"],
    ["update", "edit"],
    ["replace", "move"],
    ["delete", "gone"],
  ]);
});

test("ValidatePlan finds what the schemas refuse, and lets pass what is known later", async () => {
  const { client } = await start();
  const plan = {
    id: "p",
    actions: [
      { action: "create", resource: spec("x", { text: 1, copies: "${a.n}" }) },
      { action: "create", resource: encodeSpec({ name: "y", type: "test.nothing", config: {}, dependsOn: [] }) },
      { action: "delete", resource: encodeSpec({ name: "z", type, config: {}, dependsOn: [] }) },
    ],
  };
  const { diagnostics } = (await unaryCall(client, iac.IaCProviderValidator.method.validatePlan, { plan })).response;
  expect(diagnostics.map(({ severity, resource, field }) => [severity, resource, field])).toEqual([
    [iac.PlanDiagnosticSeverity.PLAN_DIAGNOSTIC_ERROR, "x", "text"],
    [iac.PlanDiagnosticSeverity.PLAN_DIAGNOSTIC_ERROR, "y", ""],
  ]);
  expect(diagnostics.every(({ message }) => message !== "")).toBe(true);
});

test("sizing, scaling, health, sensitive keys, regions, finalizer", async () => {
  const { client } = await start();
  const { method } = iac.ResourceDriver;
  const sizing = (size: string) =>
    unaryCall(client, iac.IaCProviderRequired.method.resolveSizing, { resourceType: type, size });
  expect((await sizing("s")).response.sizing?.instanceType).toBe("tiny");
  expect((await sizing("xl")).response.sizing).toBeUndefined();
  const scale = (replicas: number) => unaryCall(client, method.scale, { resourceType: type, ref: ref("a"), replicas });
  expect((await scale(3)).response.output?.providerId).toBe("id-a");
  await expect(scale(-1)).rejects.toMatchObject({ code: grpc.status.INVALID_ARGUMENT });
  const health = (name: string) => unaryCall(client, method.healthCheck, { resourceType: type, ref: ref(name) });
  expect((await health("a")).response.result?.healthy).toBe(true);
  await expect(health("c")).rejects.toMatchObject({ code: grpc.status.NOT_FOUND });
  expect((await unaryCall(client, method.sensitiveKeys, { resourceType: type })).response.keys).toEqual(["secret"]);
  await expect(unaryCall(client, method.troubleshoot, { resourceType: type, ref: ref("a") })).rejects.toMatchObject({
    code: grpc.status.UNIMPLEMENTED,
  });
  const regions = await unaryCall(client, iac.IaCProviderRegionLister.method.listRegions, {});
  expect(regions.response.regions.map(({ name }) => name)).toEqual(["desk"]);
  const finalize = (planId: string) => unaryCall(client, iac.IaCProviderFinalizer.method.finalizeApply, { planId });
  expect((await finalize("good")).response.errors).toEqual([]);
  expect((await finalize("bad")).response.errors).toMatchObject([{ resource: "test.note", error: "no ink" }]);
});

test("several configurations live side by side and are told apart by the instance", async () => {
  const { client } = await start();
  const { open, close } = ext.Configurations.method;
  const config = (account: string) => Buffer.from(JSON.stringify({ account }));
  expect((await unaryCall(client, open, { instance: "two", configJson: config("b") })).response.identity).toBe(
    "notes:b",
  );
  await expect(unaryCall(client, open, { instance: "", configJson: config("b") })).rejects.toMatchObject({
    code: grpc.status.INVALID_ARGUMENT,
  });
  const metadata = new grpc.Metadata();
  metadata.set("wfctl-instance", "two");
  const read = () =>
    unaryCall(client, iac.ResourceDriver.method.read, { resourceType: type, ref: ref("a") }, { metadata });
  await expect(read()).rejects.toMatchObject({ code: grpc.status.NOT_FOUND });
  const { identity, labels } = (await unaryCall(client, ext.ProviderIdentity.method.getIdentity, {})).response;
  expect([identity, labels]).toEqual(["notes:a", { account: "a" }]);
  await unaryCall(client, close, { instance: "two" });
  await expect(read()).rejects.toMatchObject({ code: grpc.status.FAILED_PRECONDITION });
});

test("schemas are told before any configuration", async () => {
  const { client } = await startConfigured(file, { account: "a" });
  const { response } = await unaryCall(client, ext.ResourceSchemas.method.listResourceTypes, {});
  const [note] = response.types;
  expect(note).toMatchObject({
    type,
    forceNew: ["shelf"],
    sensitiveInputs: ["secret"],
    writeOnly: ["secret"],
    sensitiveOutputs: ["secret"],
    createFirst: true,
    convergentCreate: true,
    lookup: true,
    irreversibleUpdate: false,
    settleMs: 5,
    createTimeoutMs: 60_000,
    readTimeoutMs: 0,
    typicalCreateMs: 20,
    typicalDeleteMs: 0,
    readsInputs: true,
  });
  expect(bytesToObject(note!.inputSchemaJson, "")).toMatchObject({
    type: "object",
    required: ["text"],
    additionalProperties: false,
  });
  expect(response.schemaDigest).toMatch(/^[0-9a-f]{64}$/);
  expect(response.provider).toMatchObject({ clientTokens: true, ownLimits: true });
});

test("the manifest says what a host needs to find and to trust the plugin", async () => {
  const manifest = await generateManifest(notesProvider);
  expect(manifest).toMatchObject({
    name: "workflow-plugin-notes",
    version: "1.2.3",
    license: "MIT",
    minEngineVersion: "0.85.0",
    iacProvider: { computePlanVersion: "v2" },
    capabilities: { iacProvider: { name: "notes", resourceTypes: ["test.note", "test.plain"] } },
  });
  expect(Object.keys(manifest.iacProvider)).toEqual(["computePlanVersion"]);
  expect(manifest.iacServices).toContain("workflow.plugin.external.iac.IaCProviderRequired");
  expect(manifest.author).not.toBe("");
  expect(manifest.permissions).toEqual({ "test.note": ["notes:Read", "notes:Write"] });
});
