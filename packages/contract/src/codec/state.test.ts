import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as iac from "../gen/workflow/plugin/external/iac/iac_pb.ts";
import { isoTime, jsonObject, text } from "../testing/arbitraries.ts";
import { decodeDrift, encodeDrift, type DriftReport } from "./drift.ts";
import { decodeBackendState, decodeState, encodeBackendState, encodeState, type WireState } from "./state.ts";

const state: fc.Arbitrary<WireState> = fc.record(
  {
    id: text,
    name: text,
    type: text,
    provider: text,
    providerRef: text,
    providerId: text,
    configHash: text,
    appliedConfig: jsonObject,
    appliedConfigSource: fc.constantFrom("apply" as const, "adoption" as const, "" as const),
    outputs: jsonObject,
    dependencies: fc.array(text, { maxLength: 3 }),
    createdAt: isoTime,
    updatedAt: isoTime,
    lastDriftCheck: isoTime,
  },
  {
    noNullPrototype: true,
    requiredKeys: [
      "id",
      "name",
      "type",
      "provider",
      "providerRef",
      "providerId",
      "configHash",
      "appliedConfigSource",
      "outputs",
      "dependencies",
    ],
  },
);

describe("records on the wire", () => {
  test("survive both ways; times that are unknown stay so", () => {
    fc.assert(
      fc.property(state, (value) => {
        const bytes = toBinary(iac.ResourceStateSchema, encodeState(value));
        expect(decodeState(fromBinary(iac.ResourceStateSchema, bytes))).toStrictEqual(value);
      }),
    );
  });

  test("an unknown source of the applied config is refused", () => {
    const message = create(iac.ResourceStateSchema, { appliedConfigSource: "guess" });
    expect(() => decodeState(message)).toThrow("ResourceState.applied_config_source");
  });
});

describe("records of a state backend", () => {
  const record = {
    resourceId: "db",
    resourceType: "infra.database",
    provider: "aws",
    providerRef: "main",
    providerId: "db-1",
    configHash: "",
    status: "active",
    outputs: { host: "h" },
    config: { size: "m" },
    dependencies: ["net"],
    createdAt: "2026-01-02T03:04:05Z",
    updatedAt: "2026-01-02T03:04:05+02:00",
    error: "",
  };

  test("survive both ways, times as they were written", () => {
    const bytes = toBinary(iac.IaCStateSchema, encodeBackendState(record));
    expect(decodeBackendState(fromBinary(iac.IaCStateSchema, bytes))).toStrictEqual(record);
  });

  test("no object travels as null; zero bytes, null and an empty object read as none", () => {
    const { outputs: _outputs, config: _config, ...bare } = record;
    const message = encodeBackendState(bare);
    expect([message.outputsJson, message.configJson].map((bytes) => Buffer.from(bytes).toString())).toEqual([
      "null",
      "null",
    ]);
    for (const text of ["", "null", "{}"]) {
      const bytes = Buffer.from(text);
      expect(decodeBackendState({ ...message, outputsJson: bytes, configJson: bytes })).toStrictEqual(bare);
    }
  });
});

describe("drift verdicts", () => {
  test("survive the wire", () => {
    const report: fc.Arbitrary<DriftReport> = fc.record(
      {
        name: text,
        type: text,
        drifted: fc.boolean(),
        class: fc.constantFrom("" as const, "in-sync" as const, "ghost" as const, "config" as const),
        expected: jsonObject,
        actual: jsonObject,
        fields: fc.array(text, { maxLength: 3 }),
      },
      { noNullPrototype: true, requiredKeys: ["name", "type", "drifted", "class", "fields"] },
    );
    fc.assert(
      fc.property(report, (value) => {
        const consistent = { ...value, drifted: value.class === "" ? value.drifted : value.class !== "in-sync" };
        const bytes = toBinary(iac.DriftResultSchema, encodeDrift(consistent));
        expect(decodeDrift(fromBinary(iac.DriftResultSchema, bytes))).toStrictEqual(consistent);
      }),
    );
  });

  test("the class decides over the boolean, which decides where there is no class", () => {
    const drifted = (fields: { class?: iac.DriftClass; drifted: boolean }): boolean =>
      decodeDrift(create(iac.DriftResultSchema, fields)).drifted;
    expect(drifted({ class: iac.DriftClass.IN_SYNC, drifted: true })).toBe(false);
    expect(drifted({ class: iac.DriftClass.GHOST, drifted: false })).toBe(true);
    expect(drifted({ drifted: true })).toBe(true);
    expect(drifted({ drifted: false })).toBe(false);
  });

  test("a class without a name is refused", () => {
    const message = create(iac.DriftResultSchema, { class: 4 as iac.DriftClass });
    expect(() => decodeDrift(message)).toThrow("DriftResult.class holds 4");
  });
});
