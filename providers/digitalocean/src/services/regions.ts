import { api, type Context } from "../calls.ts";

export interface CloudRegion {
  readonly slug: string;
  readonly name: string;
  readonly available: boolean;
}

export async function listRegions(context: Context): Promise<CloudRegion[]> {
  const found: CloudRegion[] = [];
  for await (const region of api(context).list<CloudRegion>("regions", "regions")) found.push(region);
  return found;
}

/** Regions in which something new can be made. */
export async function availableRegions(context: Context): Promise<{ name: string; displayName: string }[]> {
  const regions = await listRegions(context);
  return regions.filter(({ available }) => available).map(({ slug, name }) => ({ name: slug, displayName: name }));
}
