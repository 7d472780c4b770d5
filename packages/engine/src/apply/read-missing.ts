import { referencesIn, expressionsIn, type JsonObject } from "@wfctl/model";
import { outputOf } from "../substitute/evaluate.ts";
import { readTimeoutOf } from "./ask-before.ts";
import type { WriteTarget } from "./execute-node.ts";
import type { CallEnd } from "./operate.ts";
import { readObject } from "./read-object.ts";
import type { Run } from "./run.ts";

/** A value that a secret store holds: what a Read gives in its place leads to nothing that a write has stored. */
const routedPrefix = "secret_ref://";

/**
 * The end of a create or update with the outputs that others of the run refer to and that its answer lacks: read once, before
 * the outcome is recorded. Where the Read does not tell them either, fails, or tells of another object, the end stays as it is.
 */
export async function withReferredOutputs(target: WriteTarget, end: CallEnd): Promise<CallEnd> {
  const { run, action, provider, desired, work } = target;
  if (!end.ok || end.live === undefined || end.live.providerId === "" || run.halt !== undefined) return end;
  const { live } = end;
  const known = { providerId: live.providerId, outputs: live.outputs, sensitiveOutputs: [] };
  const isMissing = (path: string): boolean => outputOf(known, path) === undefined;
  if (![...(referredOutputs(run).get(action.name) ?? [])].some(isMissing)) return end;
  try {
    const { type, name } = action;
    const { providerId } = live;
    const read = await readObject(
      run,
      provider,
      { name, type, providerId },
      { timeoutMs: readTimeoutOf(desired, provider, type), stopped: () => run.halt !== undefined, work },
    );
    if (read === undefined || (read.providerId !== "" && read.providerId !== providerId)) return end;
    const secret = new Set(read.sensitive);
    const found = Object.entries(read.outputs as JsonObject).filter(([key, value]) =>
      typeof value === "string" ? !value.startsWith(routedPrefix) : !secret.has(key),
    );
    return {
      ...end,
      live: {
        ...live,
        outputs: { ...Object.fromEntries(found), ...live.outputs },
        sensitive: [...new Set([...live.sensitive, ...read.sensitive])],
      },
    };
  } catch {
    return end;
  }
}

/** Outputs that the resources of a run refer to, by the resource that gives them. */
function referredOutputs(run: Run): ReadonlyMap<string, ReadonlySet<string>> {
  const known = run.referredOutputs;
  if (known !== undefined) return known;
  const found = new Map<string, Set<string>>();
  for (const { desired } of run.plan.actions) {
    for (const [, expression] of expressionsIn((desired?.config ?? {}) as JsonObject)) {
      for (const reference of referencesIn(expression)) {
        if (!("resource" in reference)) continue;
        const paths = found.get(reference.resource) ?? new Set();
        found.set(reference.resource, paths.add(reference.path));
      }
    }
  }
  run.referredOutputs = found;
  return found;
}
