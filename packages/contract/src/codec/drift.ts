import { create } from "@bufbuild/protobuf";
import type { JsonObject } from "@wfctl/model";
import * as iac from "../gen/workflow/plugin/external/iac/iac_pb.ts";
import { driftClasses, type DriftClass } from "./enums.ts";
import { bytesToObject, jsonToBytes } from "./json.ts";

/** A provider's verdict on one resource. */
export interface DriftReport {
  readonly name: string;
  readonly type: string;
  readonly drifted: boolean;
  readonly class: DriftClass;
  /** Recorded and live values, where the provider gives them. */
  readonly expected?: JsonObject;
  readonly actual?: JsonObject;
  readonly fields: readonly string[];
}

export function encodeDrift(report: DriftReport): iac.DriftResult {
  return create(iac.DriftResultSchema, {
    name: report.name,
    type: report.type,
    drifted: report.drifted,
    class: driftClasses.toWire(report.class),
    expectedJson: jsonToBytes(report.expected, "DriftResult.expected_json"),
    actualJson: jsonToBytes(report.actual, "DriftResult.actual_json"),
    fields: [...report.fields],
  });
}

/** The class decides `drifted`; the boolean of the wire counts only where there is no class. */
export function decodeDrift(message: iac.DriftResult): DriftReport {
  const driftClass = driftClasses.fromWire(message.class, "DriftResult.class");
  const expected = bytesToObject(message.expectedJson, "DriftResult.expected_json");
  const actual = bytesToObject(message.actualJson, "DriftResult.actual_json");
  return {
    name: message.name,
    type: message.type,
    drifted: driftClass === "" ? message.drifted : driftClass !== "in-sync",
    class: driftClass,
    ...(expected === undefined ? {} : { expected }),
    ...(actual === undefined ? {} : { actual }),
    fields: message.fields,
  };
}
