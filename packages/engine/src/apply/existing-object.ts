import type { PlanAction, ResourceRecord } from "@wfctl/model";
import type { LiveObject } from "../ports/index.ts";
import { goingStatus } from "../recover/resolve-intent.ts";
import { readTimeoutOf } from "./ask-before.ts";
import type { OutcomeEnd } from "./call-ends.ts";
import type { WriteTarget } from "./execute-node.ts";
import { ownerOf } from "./operate.ts";
import { readObject } from "./read-object.ts";
import { deposedOf, recordOfFound, recordToBe, replyFault } from "./records.ts";
import type { Run } from "./run.ts";

/**
 * A create that met an object is an error, whoever made the object. One that carries the mark of this very resource, and
 * that no record knows, is recorded all the same, dirty and as not made by this run: the next plan compares and repairs it,
 * and an undo of this run leaves it alone. For any other the message says which it is and how to take it over.
 */
export async function settleExisting(
  target: WriteTarget,
  refused: OutcomeEnd,
  facts: {
    readonly found?: LiveObject;
    readonly clientToken?: string;
    /** The old object of a create-first replace. */
    readonly beside?: ResourceRecord | undefined;
  },
): Promise<OutcomeEnd> {
  const { run, action, provider, desired, resolved } = target;
  const { beside } = facts;
  const object = facts.found ?? (await findExisting(target, facts.clientToken));
  const record = run.records.get(action.name);
  if (record !== undefined && object?.providerId === record.providerId && beside === undefined)
    return stillThere(refused, record);
  const why = object === undefined ? "" : notOurs(run, action, object);
  if (object === undefined || why !== undefined)
    return { ...refused, message: `${refused.message}${why ?? ""}; ${hintFor(action, object, beside)}` };
  const markReason = `its create met this object, which carries the mark of the resource`;
  const after = recordToBe(run, provider, desired, resolved, beside);
  const made = recordOfFound(run, provider, after, object, resolved.sensitive, { mark: "dirty", markReason });
  const deposed = beside === undefined ? (record?.deposed ?? []) : [...beside.deposed, deposedOf(beside, run.id)];
  return {
    ...refused,
    message: `${refused.message} (id ${object.providerId}); it carries the mark of this resource; the next plan takes it up`,
    record: { put: { ...made, deposed } },
  };
}

/** The plan took the object for gone, and it is there. */
function stillThere(refused: OutcomeEnd, record: ResourceRecord): OutcomeEnd {
  const { mark = "dirty", markReason = "its object was there when a create was sent for it" } = record;
  return {
    ...refused,
    message: `${refused.message} (id ${record.providerId}); it is the object of the record; the next plan compares it`,
    record: { put: { ...record, mark, markReason } },
  };
}

/** By the token of the refused create, where a driver has tried more than once, else by name. */
async function findExisting(target: WriteTarget, clientToken: string | undefined): Promise<LiveObject | undefined> {
  const { run, action, provider, desired } = target;
  const timeoutMs = readTimeoutOf(desired, provider, action.type);
  const { signal } = run.calls;
  if (clientToken !== undefined && provider.features.lookup && provider.traits(action.type)?.lookup === true) {
    try {
      const options = { timeoutMs, run: run.id, signal, owner: ownerOf(run, action) };
      const made = await provider.lookup(action.type, clientToken, action.name, options);
      if (made !== undefined) return made;
    } catch {
      // A Read by name may still tell.
    }
  }
  try {
    const ref = { name: action.name, type: action.type, providerId: "" };
    return await readObject(run, provider, ref, { timeoutMs, stopped: () => run.halt?.kind === "cancelled" });
  } catch {
    return undefined;
  }
}

/** Why the object is not taken up, for the message; undefined where the mark says that it is this resource's. */
function notOurs(run: Run, action: PlanAction, object: LiveObject): string | undefined {
  const { providerId, owner, status } = object;
  if (providerId === "") return "";
  const holder = holderOf(run, providerId);
  if (holder !== undefined) return ` (id ${providerId}, recorded under "${holder}")`;
  if (goingStatus.test(status)) return ` (id ${providerId}, ${status})`;
  if (owner === ownerOf(run, action)) {
    const fault = replyFault(object, action.name, action.type);
    return fault === undefined ? undefined : ` (id ${providerId}; ${fault})`;
  }
  return owner === undefined || owner === "" ? ` (id ${providerId})` : ` (id ${providerId}, it belongs to ${owner})`;
}

function holderOf(run: Run, providerId: string): string | undefined {
  for (const { name, providerId: current, deposed } of run.records.values())
    if (current === providerId || deposed.some((old) => old.providerId === providerId)) return name;
  return undefined;
}

function hintFor(action: PlanAction, object: LiveObject | undefined, beside: ResourceRecord | undefined): string {
  // An import into a record that there is would be refused.
  if (beside !== undefined) return `set "lifecycle: {replace: delete-first}", or choose another name`;
  const byHand = `wfctl import ${action.name} ${object?.providerId || "ID"}`;
  return object?.owner === undefined || object.owner === ""
    ? `set "adopt_existing: true" or run "${byHand}" to take it over, or choose another name`
    : `choose another name, or take it over all the same with "${byHand}"`;
}
