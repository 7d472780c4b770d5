import type { ResourceRecord } from "@wfctl/model";
import type { Call } from "./intent.ts";
import type { Run } from "./run.ts";

/** Longer than the ids of any cloud. */
const maxLength = 8192;

/** Why the id of a reply cannot be the id of the object that the call is about; undefined where it can. */
export function idFault(run: Run, call: Call, id: string): string | undefined {
  const known = call.providerId ?? "";
  if (id === "") return known === "" ? "the reply has no provider id" : undefined;
  if (id === known) return undefined;
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(id)) return "the provider id of the reply has control characters";
  if (id.length > maxLength) return `the provider id of the reply has ${id.length} characters`;
  const holder = holderOf(run, call, id);
  return holder === undefined ? undefined : `the reply has the provider id ${id}, which is that of "${holder}"`;
}

/** The other resource that has this id on record. */
function holderOf(run: Run, call: Call, id: string): string | undefined {
  run.idHolders ??= new Map(run.records.values().map((record) => [keyOf(record), record.name]));
  const key = keyOf({ provider: call.provider.module, type: call.type, providerId: id });
  const { name } = call.action;
  const holder = run.idHolders.get(key);
  const isHeld = holder !== undefined && holder !== name && run.records.get(holder)?.providerId === id;
  if (isHeld) return holder;
  run.idHolders.set(key, name);
  return undefined;
}

function keyOf({ provider, type, providerId }: Pick<ResourceRecord, "provider" | "type" | "providerId">): string {
  return `${provider} ${type} ${providerId}`;
}
