import { ProviderError } from "@wfctl/model";
import type { LiveObject, Ref } from "../ports/index.ts";

/**
 * What a Read by a recorded id found, under that id: no Read moves a record to another object. Throws a `bad_reply`
 * where the answer is about another object. Without an id in `ref` the object is as it was read.
 */
export function asRecorded<T extends LiveObject | undefined>(live: T, ref: Ref): T {
  if (live === undefined || ref.providerId === "") return live;
  const { providerId, name, type } = live;
  const isOtherId = providerId !== "" && providerId !== ref.providerId;
  if (type !== "" && type !== ref.type) throw wrongAnswer(ref, `with an object of type ${type}, expected ${ref.type}`);
  // Some clouds have one id in several spellings, and names of their own.
  if (isOtherId && name !== "" && name !== ref.name) throw wrongAnswer(ref, `with "${name}" (id ${providerId})`);
  return providerId === ref.providerId ? live : { ...live, providerId: ref.providerId };
}

function wrongAnswer(ref: Ref, how: string): ProviderError {
  return new ProviderError("bad_reply", `Read of "${ref.name}" (id ${ref.providerId}) was answered ${how}`, {
    answered: true,
  });
}
