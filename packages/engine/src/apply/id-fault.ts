import type { ResourceRecord } from "@wfctl/model";
import type { LiveObject } from "../ports/index.ts";
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

/**
 * As `idFault`, where a resource of another type has the id: some clouds make ids of names, so that a Read has to say
 * whether this very object is under it. What fails says nothing.
 */
export async function sharedIdFault(run: Run, call: Call, id: string): Promise<string | undefined> {
  const { provider, type } = call;
  const { name } = call.action;
  if (id === "" || id === call.providerId) return undefined;
  const holder = takeOrTell(run, keyOf({ provider: provider.module, type: "", providerId: id }), id, name);
  if (holder === undefined) return undefined;
  const ref = { name, type, providerId: id };
  const options = {
    timeoutMs: provider.traits(type)?.timeouts?.read ?? 120_000,
    run: run.id,
    signal: run.calls.signal,
  };
  let found: LiveObject | undefined;
  try {
    found = await provider.read(ref, options);
  } catch {
    return undefined;
  }
  const agrees = (told: string, wanted: string): boolean => told === "" || told === wanted;
  if (found !== undefined && agrees(found.name, name) && agrees(found.type, type)) return undefined;
  return `the reply has the provider id ${id}, which is that of "${holder}": Read finds no ${type} "${name}" under it`;
}

/** The other resource that has this id on record. */
function holderOf(run: Run, call: Call, id: string): string | undefined {
  const key = keyOf({ provider: call.provider.module, type: call.type, providerId: id });
  return takeOrTell(run, key, id, call.action.name);
}

/** Who has the key, or nobody: then it is the resource's from now on. */
function takeOrTell(run: Run, key: string, id: string, name: string): string | undefined {
  run.idHolders ??= new Map(
    run.records.values().flatMap((record) => [
      [keyOf(record), record.name],
      [keyOf({ ...record, type: "" }), record.name],
    ]),
  );
  const holder = run.idHolders.get(key);
  if (holder !== undefined && holder !== name && run.records.get(holder)?.providerId === id) return holder;
  run.idHolders.set(key, name);
  return undefined;
}

function keyOf({ provider, type, providerId }: Pick<ResourceRecord, "provider" | "type" | "providerId">): string {
  return `${provider} ${type} ${providerId}`;
}
