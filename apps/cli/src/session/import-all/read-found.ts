import { ask } from "@wfctl/engine";
import { realClock, realRandom } from "../runtime.ts";
import { carries, skip, tagsIn, type FoundObject, type ListedObject, type SkippedObject } from "./found-object.ts";
import { describe } from "./list-all.ts";

/** Reads one object with its inputs; undefined where it turns out not to carry the tags that are asked for. Those that another stack manages, or of which no inputs can be had, are skipped. */
export async function readFound(
  object: ListedObject,
  call: { readonly run: string; readonly signal: AbortSignal; readonly lineage: string | undefined },
): Promise<FoundObject | SkippedObject | undefined> {
  const { provider, type, providerId, name } = object;
  const caller = { clock: realClock, random: realRandom, runId: call.run, signal: call.signal };
  try {
    const live = await ask(caller, { timeouts: {} }, (options) => provider.read({ name, type, providerId }, options));
    if (live === undefined) return skip(object, "it is gone since it was listed");
    if (object.mustCarry !== undefined) {
      const tags = [...tagsIn(live.inputs?.["tags"]), ...tagsIn(live.outputs["tags"])];
      if (!carries(tags, object.mustCarry)) return undefined;
    }
    const { owner = "" } = live;
    if (owner !== "" && (call.lineage === undefined || !owner.startsWith(`${call.lineage}/`)))
      return skip(object, `it carries the mark of another stack, ${owner}`);
    if (live.inputs === undefined) return skip(object, `plugin "${provider.name}" does not tell its configuration`);
    return { ...object, live, inputs: live.inputs };
  } catch (thrown) {
    if (call.signal.aborted) throw thrown;
    return skip(object, `it cannot be read: ${describe(thrown)}`);
  }
}
