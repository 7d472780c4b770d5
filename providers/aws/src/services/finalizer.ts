import type { Context } from "../calls.ts";

/** Does what waits, now that all creates and updates are done. One entry for each resource that still is not whole. */
export async function finalize(context: Context): Promise<{ resource: string; action: string; error: string }[]> {
  const { deferrals } = context.client;
  const errors: { resource: string; action: string; error: string }[] = [];
  await Promise.all(
    deferrals.all().map(async ([key, deferred]) => {
      let error: string | undefined;
      try {
        error = await deferred.run(context);
      } catch (thrown) {
        context.signal.throwIfAborted();
        error = (thrown as Error).message;
      }
      if (error === undefined) deferrals.set(key, undefined);
      else errors.push({ resource: deferred.resource, action: "finalize", error });
    }),
  );
  return errors.toSorted((a, b) => (a.resource < b.resource ? -1 : 1));
}
