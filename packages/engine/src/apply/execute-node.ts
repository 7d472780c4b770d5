import { WfctlError, type DesiredResource, type PlanAction, type PlanNode } from "@wfctl/model";
import { isProtected } from "../plan/protection.ts";
import type { ResolvedConfig } from "../plan/resolve.ts";
import type { Provider } from "../ports/index.ts";
import type { NodeEnd } from "./call-ends.ts";
import { createObject, createReplacement } from "./create-object.ts";
import { deleteObject } from "./delete-object.ts";
import type { Slot } from "./intent.ts";
import { resolveNow } from "./resolve-now.ts";
import { actionOf, halt, type Run } from "./run.ts";
import { adoptObject, readExisting, updateObject } from "./update-object.ts";

export interface NodeWork {
  readonly node: PlanNode;
  readonly priority: number;
  readonly slot: Slot;
  /** The node is the second half of a replace whose first half is done. */
  readonly isSecondHalf: boolean;
}

/** What every kind of work needs to know of its node. */
export interface Target {
  readonly run: Run;
  readonly work: NodeWork;
  readonly action: PlanAction;
  readonly provider: Provider;
}

/** The same with the resource that is wanted, references resolved. */
export interface WriteTarget extends Target {
  readonly desired: DesiredResource;
  readonly resolved: ResolvedConfig;
}

/** Runs one node from its substitution to its end. Everything before (cancellation, dependencies, gate) was checked. */
export async function executeNode(run: Run, work: NodeWork): Promise<NodeEnd> {
  const action = actionOf(run, work.node);
  if (action.kind === "forget") return forget(run, action);
  const isDelete = action.kind === "delete" || work.node.half === "delete";
  // The old half acts where the old object is: another provider there would find nothing and call it deleted.
  const module = isDelete ? (action.prior?.provider ?? action.provider) : action.provider;
  const type = isDelete ? (action.prior?.type ?? action.type) : action.type;
  if (!work.isSecondHalf) {
    const refused = refuseProtected(run, action);
    if (refused !== undefined) return refused;
  }
  const provider = run.deps.providers.get(module);
  if (provider === undefined) return noDriver(work, action, `provider "${module}" is not there`);
  if (!provider.features.drivers) return noDriver(work, action, `plugin "${provider.name}" serves no drivers`);
  if (provider.traits(type) === undefined)
    return noDriver(work, action, `plugin "${provider.name}" has no driver for ${type}`);
  const target: Target = { run, work, action, provider };
  if (isDelete) return deleteObject(target, type);
  const { desired } = action;
  if (desired === undefined) throw new Error(`Action ${action.index} wants nothing`);
  const resolved = resolveNow(run, action, desired, provider);
  if (resolved.missing.length > 0 || resolved.unknown.size > 0) return unresolvedEnd(work, action, resolved);
  const write: WriteTarget = { ...target, desired, resolved };
  switch (action.kind) {
    case "create":
      return createObject(write);
    case "replace":
      return createReplacement(write);
    case "update":
      return updateObject(write);
    case "adopt":
    case "import":
      return adoptObject(write);
    case "read":
      return readExisting(write);
  }
}

function forget(run: Run, action: PlanAction): NodeEnd {
  const image = run.records.get(action.name);
  return {
    end: "outcome",
    status: "SUCCESS",
    record: { remove: action.name },
    ...(image === undefined ? {} : { image }),
  };
}

/** The one check before any delete call of a run. A plan shows it beforehand; a run that meets it has another plan than it should. */
function refuseProtected(run: Run, action: PlanAction): NodeEnd | undefined {
  const deletes = action.deposed === undefined && (action.kind === "delete" || action.kind === "replace");
  if (!deletes || run.options.allowReplace?.has(action.name) === true) return undefined;
  if (!isProtected(run.records.get(action.name), action.desired)) return undefined;
  const message = `Cannot ${action.kind} "${action.name}": it is protected`;
  halt(run, { kind: "fatal", error: new WfctlError("PROTECTED", message, { address: action.name }) });
  return { end: "outcome", status: "SKIPPED", code: "PROTECTED", message };
}

function unresolvedEnd(work: NodeWork, action: PlanAction, resolved: ResolvedConfig): NodeEnd {
  const parts = [...new Set([...resolved.missing.map(({ part }) => part), ...resolved.unknown.values()])];
  const wrong = parts.filter((part) => part.startsWith("${{"));
  const unset = parts.filter((part) => !part.startsWith("${{"));
  // Environment variables have no dot.
  const missingOutput = unset.some((part) => part.includes(".") && !part.startsWith("var."));
  const said = [
    ...wrong.map((part) => `holds ${part}`),
    ...(unset.length === 0 ? [] : [`refers to ${unset.map((part) => `\${${part}}`).join(", ")}, which has no value`]),
  ];
  return {
    end: "outcome",
    status: work.isSecondHalf ? "ERROR" : "SKIPPED",
    code: "REFERENCE_UNRESOLVED",
    message: `"${action.name}" ${said.join(", and ")}${missingOutput ? "; where the record lacks an output that the object has, read it anew with: wfctl apply --refresh" : ""}`,
  };
}

function noDriver(work: NodeWork, action: PlanAction, why: string): NodeEnd {
  return {
    end: "outcome",
    status: work.isSecondHalf ? "ERROR" : "SKIPPED",
    code: "NO_DRIVER",
    message: `Cannot ${action.kind} "${action.name}": ${why}`,
  };
}
