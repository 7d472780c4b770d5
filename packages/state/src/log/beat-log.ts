import type { Bucket } from "./bucket.ts";
import { beatKey, decodeObject, encodeObject, segmentKey, type Segment } from "./segment.ts";

/**
 * Beats once by putting the beat object again, unless another has written the number that comes next: then the lease is
 * lost, and the answer is false.
 */
export async function beatLog(
  bucket: Bucket,
  fence: number,
  own: { readonly next: () => number; readonly isOwn: (id: string) => boolean },
): Promise<boolean> {
  const key = segmentKey(own.next());
  const bytes = await bucket.get(key);
  if (bytes !== undefined && !own.isOwn(decodeObject<Segment>(key, bytes).id)) return false;
  await bucket.put(beatKey(fence), encodeObject({ fence }));
  return true;
}
