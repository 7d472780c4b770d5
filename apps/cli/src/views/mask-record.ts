import { mapAtPointers, type JsonObject, type ResourceRecord } from "@wfctl/model";
import { masked, maskKeys } from "./mask.ts";

/** The record without a secret in it. */
export function maskRecord(record: ResourceRecord): ResourceRecord {
  const { inputs } = record;
  return {
    ...record,
    ...(inputs === undefined
      ? {}
      : { inputs: mapAtPointers(inputs, record.sensitiveInputs, () => masked) as JsonObject }),
    outputs: maskKeys(record.outputs, record.sensitiveOutputs),
    deposed: record.deposed.map((old) => ({ ...old, outputs: maskKeys(old.outputs, old.sensitiveOutputs) })),
  };
}
