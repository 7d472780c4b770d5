import { create } from "@bufbuild/protobuf";
import type { FieldChange } from "@wfctl/model";
import * as ext from "../gen/wfctl/ext/v1/ext_pb.ts";
import * as iac from "../gen/workflow/plugin/external/iac/iac_pb.ts";
import { bytesToJson, jsonToBytes } from "./json.ts";

export interface DiffReply {
  readonly needsUpdate: boolean;
  readonly needsReplace: boolean;
  readonly changes: readonly FieldChange[];
}

export function encodeDiff(diff: DiffReply): iac.DiffResult {
  return create(iac.DiffResultSchema, diffFields(diff, "FieldChange"));
}

/** An absent result: no change. */
export function decodeDiff(message: iac.DiffResult | undefined): DiffReply {
  return readDiff(message, "FieldChange");
}

export function encodeDriverDiff(diff: DiffReply): ext.DriverDiff {
  return create(ext.DriverDiffSchema, diffFields(diff, "DriverChange"));
}

export function decodeDriverDiff(message: ext.DriverDiff | undefined): DiffReply {
  return readDiff(message, "DriverChange");
}

export function encodeChange(change: FieldChange): iac.FieldChange {
  return create(iac.FieldChangeSchema, changeFields(change, "FieldChange"));
}

export function decodeChange(message: iac.FieldChange): FieldChange {
  return readChange(message, "FieldChange");
}

function diffFields(diff: DiffReply, name: string) {
  return {
    needsUpdate: diff.needsUpdate,
    needsReplace: diff.needsReplace,
    changes: diff.changes.map((change) => changeFields(change, name)),
  };
}

function changeFields(change: FieldChange, name: string) {
  return {
    path: change.path,
    oldJson: jsonToBytes(change.old, `${name}.old_json`),
    newJson: jsonToBytes(change.new, `${name}.new_json`),
    forceNew: change.forceNew,
  };
}

/** A change that forces a new object turns an update into a replacement, whatever the flag says. */
function readDiff(message: iac.DiffResult | ext.DriverDiff | undefined, name: string): DiffReply {
  if (message === undefined) return { needsUpdate: false, needsReplace: false, changes: [] };
  const changes = message.changes.map((change) => readChange(change, name));
  const { needsUpdate } = message;
  const needsReplace = message.needsReplace || (needsUpdate && changes.some(({ forceNew }) => forceNew));
  return { needsUpdate, needsReplace, changes };
}

function readChange(message: iac.FieldChange | ext.DriverChange, name: string): FieldChange {
  const before = bytesToJson(message.oldJson, `${name}.old_json`);
  const after = bytesToJson(message.newJson, `${name}.new_json`);
  return {
    path: message.path,
    ...(before === undefined ? {} : { old: before }),
    ...(after === undefined ? {} : { new: after }),
    forceNew: message.forceNew,
  };
}
