import type { DescEnum } from "@bufbuild/protobuf";
import { actionStatus } from "@wfctl/model";
import { describe, expect, test } from "vitest";
import * as ext from "../gen/wfctl/ext/v1/ext_pb.ts";
import * as iac from "../gen/workflow/plugin/external/iac/iac_pb.ts";
import type { EnumCodec } from "./enum-codec.ts";
import * as enums from "./enums.ts";

const codecs: [DescEnum, EnumCodec<string, number>, readonly string[], "strict" | "lenient"][] = [
  entry(iac.ActionStatusSchema, enums.actionStatuses, Object.values(actionStatus)),
  entry(iac.DriftClassSchema, enums.driftClasses, ["", "in-sync", "ghost", "config"]),
  entry(iac.JobStateSchema, enums.jobStates, ["unknown", "pending", "running", "succeeded", "failed", "cancelled"]),
  entry(iac.RequirementKindSchema, enums.requirementKinds, [
    "observability",
    "web_api",
    "message_broker",
    "database",
    "cache",
    "storage",
  ]),
  entry(iac.RequirementRuntimeSchema, enums.requirementRuntimes, [
    "kubernetes",
    "ecs",
    "cloud_run",
    "azure_container_apps",
    "digitalocean_app_platform",
  ]),
  entry(iac.TelemetrySignalSchema, enums.telemetrySignals, ["traces", "metrics", "logs"]),
  entry(iac.ObservabilityBackendSchema, enums.observabilityBackends, [
    "otel",
    "datadog",
    "prometheus",
    "loki",
    "grafana",
  ]),
  entry(iac.DeploymentModeSchema, enums.deploymentModes, ["sidecar", "daemonset", "sibling_service", "managed"]),
  entry(iac.PlanDiagnosticSeveritySchema, enums.planDiagnosticSeverities, ["info", "warning", "error"], "lenient"),
  entry(iac.LogCaptureTypeSchema, enums.logCaptureTypes, ["BUILD", "DEPLOY", "RUN", "RUN_RESTARTED"], "lenient"),
  entry(ext.DriverOperationSchema, enums.driverOperations, [
    "create",
    "read",
    "update",
    "delete",
    "diff",
    "lookup",
    "cancel",
  ]),
];

function entry<Word extends string, Wire extends number>(
  desc: DescEnum,
  codec: EnumCodec<Word, Wire>,
  words: readonly Word[],
  unknown: "strict" | "lenient" = "strict",
): (typeof codecs)[number] {
  return [desc, codec as unknown as EnumCodec<string, number>, words, unknown];
}

describe.each(codecs)("$name", (desc, codec, words, unknown) => {
  test("has the words of the contract in the order of their numbers", () => {
    expect(codec.words).toEqual(words);
    const first = desc.values.length - words.length;
    expect(words.map((word) => codec.toWire(word))).toEqual(words.map((_, index) => index + first));
  });

  test("translates every number that may occur, both ways", () => {
    for (const word of words) expect(codec.fromWire(codec.toWire(word), "f")).toBe(word);
  });

  test("refuses every other number, naming the field, or reads it as the default", () => {
    const allowed = new Set(words.map((word) => codec.toWire(word)));
    const others = [-1, 0, 99, 2_147_483_647].filter((candidate) => !allowed.has(candidate));
    const read = others.map((number) => {
      try {
        return codec.fromWire(number, "A.b");
      } catch (error) {
        return (error as Error).message.replace(/, which is no valid .*/, "");
      }
    });
    const fallback = desc.name === "LogCaptureType" ? "RUN" : "info";
    expect(read).toEqual(others.map((number) => (unknown === "strict" ? `Field A.b holds ${number}` : fallback)));
    expect(() => codec.toWire("no such word")).toThrow("no number");
  });
});

test("log types are read from text in any case; empty means RUN; other text names none", () => {
  expect(["build", "Deploy", "", "RUN", "run_restarted"].map(enums.parseLogCaptureType)).toEqual([
    "BUILD",
    "DEPLOY",
    "RUN",
    "RUN",
    "RUN_RESTARTED",
  ]);
  expect(enums.parseLogCaptureType("logs")).toBeUndefined();
});

test("created: yes, no, and not said", () => {
  for (const created of [true, false, undefined]) {
    expect(enums.createdFromWire(enums.createdToWire(created), "f")).toBe(created);
  }
  expect(() => enums.createdFromWire(3 as ext.Created, "DriverObject.created")).toThrow("DriverObject.created holds 3");
});
