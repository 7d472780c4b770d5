import { WfctlError, type Json, type JsonObject, type ResourceRecord, type StackState } from "@wfctl/model";
import { describe, expect, test } from "vitest";
import { isStateExport, readStateExport } from "./read-state-export.ts";
import { writeStateExport } from "./write-state-export.ts";

const record: ResourceRecord = {
  name: "db",
  type: "infra.database",
  provider: "cloud",
  providerName: "aws",
  providerVersion: "0.1.0",
  providerIdentity: "aws:1",
  providerId: "arn",
  size: "s",
  inputs: { engine: "pg", password: "hunter2-hunter2" },
  outputs: { host: "h", uri: "pg://hunter2-hunter2@h", kept: "secret_ref://N#0011223344556677" },
  sensitiveInputs: ["/password"],
  sensitiveOutputs: ["uri", "kept"],
  dependencies: ["net"],
  fingerprint: "abc",
  protected: true,
  retain: false,
  createdByUs: true,
  deposed: [
    {
      providerId: "old",
      type: "infra.database",
      provider: "cloud",
      outputs: { uri: "hunter2-hunter2" },
      sensitiveOutputs: ["uri"],
      dependencies: [],
      sinceRun: "r",
    },
  ],
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-02T00:00:00.000Z",
  readAt: "2026-01-02T00:00:00.000Z",
  run: "r1",
};
const plain: ResourceRecord = {
  ...record,
  name: "app",
  inputs: { a: 1 },
  sensitiveInputs: [],
  outputs: { host: "h" },
  sensitiveOutputs: [],
  mark: "tainted",
  markReason: "why",
  deposed: [],
};
const state = {
  lineage: "l",
  serial: 7,
  records: new Map([
    ["db", record],
    ["app", plain],
  ]),
  unknown: new Map([["lost", { intent: { operation: "create" }, why: "no answer" }]]),
  providerConfigs: new Map([["cloud", { name: "aws", config: { token: "hunter2-hunter2" } }]]),
} as unknown as StackState;
const write = (secrets: boolean): string =>
  writeStateExport({ stack: { name: "shop", environment: "prod" }, version: "0.1.0", state, secrets });
const read = (secrets: boolean) => readStateExport("x", JSON.parse(write(secrets)) as JsonObject);

test("with secrets, what is read is what was written, to be looked at again", () => {
  expect(read(true).records).toEqual([
    { ...plain, fingerprint: "" },
    { ...record, fingerprint: "", mark: "imported" },
  ]);
  expect(read(true)).toMatchObject({
    stack: { name: "shop", environment: "prod" },
    unknown: ["lost"],
    providers: [{ module: "cloud", name: "aws", config: { token: "hunter2-hunter2" } }],
  });
});

test("without secrets none is in it, references to a secret store stay, and reading drops what is missing", () => {
  expect(write(false)).not.toContain("hunter2");
  expect(write(false)).not.toContain("token");
  const [app, db] = read(false).records;
  expect(app).toEqual({ ...plain, fingerprint: "" });
  expect(db).not.toHaveProperty("inputs");
  expect(db).toMatchObject({
    outputs: { host: "h", kept: "secret_ref://N#0011223344556677" },
    sensitiveInputs: [],
    sensitiveOutputs: ["kept"],
    deposed: [{ outputs: {}, sensitiveOutputs: [] }],
  });
});

test("the same state gives the same text", () => {
  expect(write(true)).toBe(write(true));
});

describe("what cannot be read is refused with its place", () => {
  const spoil = (change: (content: Record<string, unknown>, first: Record<string, unknown>) => void): WfctlError => {
    const content = JSON.parse(write(true)) as Record<string, unknown>;
    change(content, (content["records"] as Record<string, unknown>[])[0]!);
    expect(isStateExport(content as Json)).toBe(true);
    try {
      readStateExport("x.json", content as JsonObject);
    } catch (error) {
      if (error instanceof WfctlError) return error;
      throw error;
    }
    throw new Error("It was not refused");
  };
  test.each([
    [
      (content: Record<string, unknown>) => (content["format"] = "wfctl/state-export/2"),
      'expected "wfctl/state-export/1"',
    ],
    [(content: Record<string, unknown>) => (content["records"] = {}), "/records is an object, expected a list"],
    [(content: Record<string, unknown>) => (content["secrets"] = "some"), 'secrets "some"'],
    [(_: unknown, first: Record<string, unknown>) => delete first["providerId"], "/records/0/providerId is missing"],
    [(_: unknown, first: Record<string, unknown>) => (first["name"] = "../x"), '/records/0 has the name "../x"'],
    [(_: unknown, first: Record<string, unknown>) => (first["name"] = "db"), 'two records of the name "db"'],
    [(_: unknown, first: Record<string, unknown>) => (first["mark"] = "odd"), '/records/0 has the mark "odd"'],
  ])("%#", (change, message) => {
    const error = spoil(change as never);
    expect(error.code).toBe("IMPORT_INVALID");
    expect(error.message).toContain(message);
    expect(error.message).not.toContain("hunter2");
  });
});
