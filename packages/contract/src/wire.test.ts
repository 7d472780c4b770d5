import { readdir, readFile } from "node:fs/promises";
import { createRegistry, fromBinary, toBinary, type DescMessage } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { decodeApplyResult } from "./apply-result.ts";
import { decodeBackendState, decodeState } from "./codec/state.ts";
import { decodeDiff } from "./codec/diff.ts";
import { decodeDrift } from "./codec/drift.ts";
import { decodeDriverObject, decodePartial } from "./codec/driver-object.ts";
import { decodeOutput, decodeSpec } from "./codec/resource.ts";
import * as ext from "./gen/wfctl/ext/v1/ext_pb.ts";
import * as iac from "./gen/workflow/plugin/external/iac/iac_pb.ts";
import * as stdio from "./gen/plugin/grpc_stdio_pb.ts";
import * as plugin from "./gen/workflow/plugin/v1/plugin_pb.ts";
import { files } from "./testing/files.ts";

// Transcripts made by hand from the tables of the contract, not by this code. A line is hex and quoted text, then
// `# field (tag)`; what is indented is inside the message above it. The first line names the message.

const folder = new URL("../testdata/wire/", import.meta.url);
const registry = createRegistry(...Object.values(files));

interface Transcript {
  readonly name: string;
  readonly desc: DescMessage;
  readonly bytes: Uint8Array;
  readonly lines: readonly { depth: number; field: string; tag: number; hex: string }[];
}

async function readTranscript(file: string): Promise<Transcript> {
  const [first = "", ...rest] = (await readFile(new URL(file, folder), "utf8")).trimEnd().split("\n");
  const typeName = /^# ([\w.]+)/.exec(first)?.[1] ?? "";
  const desc = registry.getMessage(typeName);
  if (desc === undefined) throw new Error(`${file} names no known message: ${typeName}`);
  const lines = rest.map((line) => {
    const match = /^(?<indent> *)(?<data>.*?) +# (?<field>\w+).*\((?<tag>\d+)\)$/.exec(line)?.groups;
    if (match === undefined) throw new Error(`${file} has a line that cannot be read: ${line}`);
    const { indent = "", data = "", field = "", tag = "" } = match;
    const hex = data.replace(/'([^']*)'/, (_, text: string) => Buffer.from(text, "latin1").toString("hex"));
    return { depth: indent.length / 2, field, tag: Number(tag), hex: hex.replaceAll(" ", "") };
  });
  return {
    name: file.replace(".hex", ""),
    desc,
    bytes: Buffer.from(lines.map(({ hex }) => hex).join(""), "hex"),
    lines,
  };
}

type Fields = ReadonlyMap<number, { readonly name: string; readonly fields?: (() => Fields) | undefined }>;

function fieldsOf(message: DescMessage): Fields {
  return new Map(
    message.fields.map((field) => {
      const inner = field.message;
      const inside = inner === undefined ? undefined : () => fieldsOf(inner);
      const entry = (): Fields =>
        new Map([
          [1, { name: "key" }],
          [2, { name: "value", fields: inside }],
        ]);
      return [field.number, { name: field.name, fields: field.fieldKind === "map" ? entry : inside }];
    }),
  );
}

const transcripts = await Promise.all((await readdir(folder)).map(readTranscript));

function bytesOf(name: string): Uint8Array {
  const found = transcripts.find((transcript) => transcript.name === name);
  if (found === undefined) throw new Error(`No transcript ${name}`);
  return found.bytes;
}

describe.each(transcripts)("$name", ({ desc, bytes, lines }) => {
  test("every field has the tag and the place that the contract gives it", () => {
    // What the lines of each depth are fields of. A map is read as the message of its entries.
    const parents: (Fields | undefined)[] = [fieldsOf(desc)];
    for (const { depth, field, tag } of lines) {
      const found = parents[depth]?.get(tag);
      expect([depth, tag, found?.name]).toEqual([depth, tag, field]);
      parents[depth + 1] = found?.fields?.();
    }
  });

  test("is read without leftovers and written back byte for byte", () => {
    const message = fromBinary(desc, bytes);
    expect(leftovers(message)).toEqual([]);
    expect(Buffer.from(toBinary(desc, message)).toString("hex")).toBe(Buffer.from(bytes).toString("hex"));
    expect(bytes.byteLength).toBeGreaterThan(0);
  });
});

/** Numbers of the fields that the message or one inside it does not know. */
function leftovers(value: unknown): number[] {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return [];
  if (Array.isArray(value)) return value.flatMap(leftovers);
  return Object.entries(value).flatMap(([key, member]) =>
    key === "$unknown" ? (member as { no: number }[]).map(({ no }) => no) : leftovers(member),
  );
}

const spec = {
  name: "net",
  type: "infra.vpc",
  config: { cidr: 10 },
  size: "m",
  hints: { cpu: "2", memory: "4Gi", storage: "100Gi" },
  dependsOn: ["a", "b"],
};
const output = {
  name: "db",
  type: "infra.database",
  providerId: "db-1",
  outputs: { password: "p" },
  sensitive: ["password"],
  status: "running",
};
const state = {
  id: "db",
  name: "db",
  type: "infra.database",
  provider: "aws",
  providerRef: "main",
  providerId: "db-1",
  configHash: "ab12",
  appliedConfig: { a: 1 },
  appliedConfigSource: "apply",
  outputs: { host: "h" },
  dependencies: ["net"],
  createdAt: "2026-01-02T03:04:05.500Z",
  updatedAt: "2026-01-02T03:04:05.000Z",
  lastDriftCheck: "1970-01-01T00:00:01.000Z",
};

describe("what the transcripts mean", () => {
  test("load: registry, manifest, capabilities", () => {
    const { contracts } = fromBinary(plugin.ContractRegistrySchema, bytesOf("contract-registry"));
    expect(contracts.map(({ kind, serviceName, mode }) => [kind, serviceName, mode])).toEqual([
      [
        plugin.ContractKind.SERVICE,
        "workflow.plugin.external.iac.IaCProviderRequired",
        plugin.ContractMode.STRICT_PROTO,
      ],
    ]);
    expect(fromBinary(plugin.ManifestSchema, bytesOf("manifest"))).toMatchObject({
      name: "aws",
      version: "1.2.3",
      author: "me",
      description: "text",
      configMutable: true,
      sampleCategory: "s",
    });
    expect(fromBinary(iac.CapabilitiesResponseSchema, bytesOf("capabilities-response"))).toMatchObject({
      capabilities: [{ resourceType: "infra.vpc", tier: 1, operations: ["create", "delete"] }],
      canonicalKeys: ["region"],
      computePlanVersion: "v2",
    });
  });

  test("driver calls: specs, refs, outputs, differences", () => {
    const created = fromBinary(iac.ResourceCreateRequestSchema, bytesOf("resource-create-request"));
    expect([created.resourceType, decodeSpec(created.spec!)]).toEqual(["infra.vpc", spec]);
    const updated = fromBinary(iac.ResourceUpdateRequestSchema, bytesOf("resource-update-request"));
    expect(updated.ref).toMatchObject({ name: "net", type: "infra.vpc", providerId: "vpc-1" });
    const diffed = fromBinary(iac.ResourceDiffRequestSchema, bytesOf("resource-diff-request"));
    expect([decodeSpec(diffed.desired!), decodeOutput(diffed.current!)]).toEqual([spec, output]);
    expect(
      decodeOutput(fromBinary(iac.ResourceCreateResponseSchema, bytesOf("resource-create-response")).output!),
    ).toEqual(output);
    expect(decodeDiff(fromBinary(iac.ResourceDiffResponseSchema, bytesOf("resource-diff-response")).result)).toEqual({
      needsUpdate: true,
      needsReplace: true,
      changes: [{ path: "cidr", old: 1, new: "2", forceNew: true }],
    });
  });

  test("records, plans and verdicts", () => {
    expect(decodeState(fromBinary(iac.ImportResponseSchema, bytesOf("import-response")).state!)).toEqual(state);
    const { plan } = fromBinary(iac.ValidatePlanRequestSchema, bytesOf("validate-plan-request"));
    expect(plan).toMatchObject({
      id: "plan-1",
      desiredHash: "ef56",
      schemaVersion: 2,
      inputSnapshot: { TOKEN: "0123456789abcdef" },
    });
    expect(plan?.actions.map(({ action, resolvedConfigHash }) => [action, resolvedConfigHash])).toEqual([
      ["update", "cd34"],
    ]);
    const drift = fromBinary(iac.DetectDriftConfigResponseSchema, bytesOf("detect-drift-config-response"));
    expect(drift.drifts.map(decodeDrift)).toEqual([
      {
        name: "net",
        type: "infra.vpc",
        drifted: true,
        class: "config",
        expected: { a: 1 },
        actual: { a: 2 },
        fields: ["a"],
      },
    ]);
    const { specs } = fromBinary(iac.DetectDriftConfigRequestSchema, bytesOf("detect-drift-config-request"));
    expect(decodeSpec(specs["net"]!)).toEqual(spec);
    const saved = decodeBackendState(fromBinary(iac.SaveStateRequestSchema, bytesOf("save-state-request")).state!);
    expect(saved).toMatchObject({ resourceId: "db", config: { a: 1 }, createdAt: "2026-01-02T03:04:05Z", error: "e" });
    expect(saved).not.toHaveProperty("outputs");
  });

  test("the result of a run", () => {
    const decoded = decodeApplyResult(bytesOf("apply-result"), { plannedActions: 2, source: "the transcript" });
    expect(decoded).toEqual({
      planId: "plan-1",
      resources: [output],
      errors: [{ resource: "<plan-finalize>", action: "finalize", error: "no route" }],
      initialInputSnapshot: { TOKEN: "0123456789abcdef" },
      inputDriftReport: [{ name: "TOKEN", planFingerprint: "0123456789abcdef", applyFingerprint: "(unset)" }],
      replaceIdMap: { db: "db-2" },
      actions: [
        { actionIndex: 0, status: "SUCCESS", error: "" },
        { actionIndex: 1, status: "SKIPPED", error: "cancelled" },
      ],
    });
  });

  test("numbers of 64 bits, doubles and bytes", () => {
    expect(fromBinary(iac.CaptureLogsRequestSchema, bytesOf("capture-logs-request")).durationSeconds).toBe(1n << 40n);
    expect(fromBinary(iac.JobSpecSchema, bytesOf("job-spec")).alerts[0]?.value).toBe(0.5);
    expect([...fromBinary(stdio.StdioDataSchema, bytesOf("stdio-data")).data]).toEqual([0, 255, 104, 105, 10]);
  });

  test("a driver session", () => {
    const { requests } = fromBinary(ext.DriverRequestsSchema, bytesOf("driver-requests"));
    expect(requests.map(({ id, operation }) => [id, operation])).toEqual([
      [1n, ext.DriverOperation.UPDATE],
      [1n << 63n, ext.DriverOperation.CANCEL],
    ]);
    const { replies } = fromBinary(ext.DriverRepliesSchema, bytesOf("driver-replies"));
    expect(decodeDriverObject(replies[0]!.object!)).toEqual({
      name: "net",
      type: "infra.vpc",
      providerId: "vpc-1",
      outputs: { id: 1 },
      sensitive: ["id"],
      status: "running",
      inputs: { cidr: 10 },
      owner: "l/net",
      revisitAt: "2026-01-02T03:04:05.000Z",
      created: true,
    });
    expect(decodePartial(replies[1]!.partial)).toEqual({ providerId: "vpc-2", outputs: {} });
    expect([replies[1]!.code, replies[1]!.retryAfterMs, replies[2]!.absent, replies[3]!.progress?.waiting]).toEqual([
      8,
      1500,
      true,
      true,
    ]);
  });
});
