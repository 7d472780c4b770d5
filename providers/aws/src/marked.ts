import type { Aws } from "./calls.ts";
import { awaitThat } from "./waiting.ts";

/**
 * Makes an object that has nothing but its tags to be known by. Two could come of one action where an earlier attempt was
 * cut off and its object was not visible yet: then the earlier one stays.
 */
export async function makeMarked(
  { context }: Aws,
  what: string,
  steps: {
    /** Ids of the objects that carry the mark. */
    find(): Promise<readonly string[]>;
    make(): Promise<string>;
    remove(id: string): Promise<unknown>;
  },
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const [before] = await steps.find();
  if (before !== undefined) return { id: before, isNew: false };
  const made = await steps.make();
  const visible = await awaitThat(context, `${what} to be visible`, async () => {
    const found = await steps.find();
    return found.includes(made) ? found : undefined;
  });
  const earlier = visible.filter((id) => id !== made).toSorted()[0];
  if (earlier === undefined) return { id: made, isNew: true };
  await steps.remove(made);
  return { id: earlier, isNew: false };
}
