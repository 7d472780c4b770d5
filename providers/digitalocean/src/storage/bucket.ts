import { given } from "../aliases.ts";
import { api, findItem, type Context } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { corsFromXml, corsToXml, lifecycleFromXml, lifecycleToXml } from "./documents.ts";
import type { StorageInput } from "./schema.ts";
import { callSpaces, orNoSuch, SpacesFailure } from "./spaces.ts";

/** Regions that have Spaces. */
const spacesRegions = ["nyc3", "sfo3", "ams3", "fra1", "sgp1", "syd1", "blr1", "lon1", "tor1", "atl1", "sfo2"] as const;
/** There while everything in the bucket may be deleted with it: buckets have no tags to say it in. */
export const forceKey = ".wfctl-force-destroy";
const everyone = "http://acs.amazonaws.com/groups/global/AllUsers";

export interface Place {
  readonly bucket: string;
  readonly region: string;
}

interface CdnEndpoint {
  readonly id: string;
  readonly origin: string;
  readonly endpoint: string;
  readonly ttl: number;
  readonly certificate_id?: string;
  readonly custom_domain?: string;
}

/** Where a bucket of ours is: its name does not tell the region. The provider's own is looked at first. */
export async function locateBucket(context: Context, bucket: string): Promise<Place | undefined> {
  const first = context.client.config.region;
  if (await isIn(context, { bucket, region: first })) return { bucket, region: first };
  const others = spacesRegions.filter((region) => region !== first);
  const found = await Promise.all(others.map((region) => isIn(context, { bucket, region }).catch(skipForeign)));
  const region = others[found.indexOf(true)];
  return region === undefined ? undefined : { bucket, region };
}

export async function isIn(context: Context, { bucket, region }: Place): Promise<boolean> {
  return (await orNoSuch(callSpaces(context, region, { method: "HEAD", bucket }))) !== undefined;
}

/** A key may be bound to buckets, and a region may be closed to the account. */
function skipForeign(error: unknown): boolean {
  if (error instanceof SpacesFailure && error.status < 500) return false;
  throw error;
}

export interface BucketSettings {
  readonly acl: "private" | "public-read";
  readonly versioning: boolean;
  readonly cors_rules: StorageInput["cors_rules"];
  readonly lifecycle_rules: StorageInput["lifecycle_rules"];
  readonly policy: string | undefined;
  readonly force_destroy: boolean;
  readonly cdn: CdnEndpoint | undefined;
}

export async function readSettings(context: Context, { bucket, region }: Place): Promise<BucketSettings> {
  const get = (name: string): Promise<string | undefined> =>
    orNoSuch(callSpaces(context, region, { method: "GET", bucket, query: { [name]: "" } })).then(
      (answer) => answer?.body,
    );
  const [acl = "", versioning = "", cors = "", lifecycle = "", policy, force, cdn] = await Promise.all([
    get("acl"),
    get("versioning"),
    get("cors"),
    get("lifecycle"),
    get("policy"),
    orNoSuch(callSpaces(context, region, { method: "HEAD", bucket, key: forceKey })),
    findCdn(context, { bucket, region }),
  ]);
  return {
    acl: acl.includes(everyone) ? "public-read" : "private",
    versioning: versioning.includes("<Status>Enabled</Status>"),
    cors_rules: corsFromXml(cors),
    lifecycle_rules: lifecycleFromXml(lifecycle),
    policy,
    force_destroy: force !== undefined,
    cdn,
  };
}

/** Brings a bucket to what is wanted, each part only where it differs. A key that is not given is left alone. */
export async function syncBucket(context: Context, place: Place, input: StorageInput): Promise<void> {
  const { bucket, region } = place;
  const live = await readSettings(context, place);
  const put = async (query: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<void> => {
    await callSpaces(context, region, { method: "PUT", bucket, query: { [query]: "" }, body, headers });
  };
  const putOrDelete = async (query: string, body: string | undefined): Promise<void> => {
    if (body !== undefined) await put(query, body);
    else await orNoSuch(callSpaces(context, region, { method: "DELETE", bucket, query: { [query]: "" } }));
  };
  if (input.acl !== undefined && input.acl !== live.acl) await put("acl", "", { "x-amz-acl": input.acl });
  if (input.versioning !== undefined && input.versioning !== live.versioning) {
    await put(
      "versioning",
      `<VersioningConfiguration><Status>${input.versioning ? "Enabled" : "Suspended"}</Status></VersioningConfiguration>`,
    );
  }
  const cors = corsToXml(input.cors_rules);
  if (cors !== corsToXml(live.cors_rules)) await putOrDelete("cors", input.cors_rules.length > 0 ? cors : undefined);
  const lifecycle = lifecycleToXml(input.lifecycle_rules);
  if (lifecycle !== lifecycleToXml(live.lifecycle_rules))
    await putOrDelete("lifecycle", input.lifecycle_rules.length > 0 ? lifecycle : undefined);
  if (!isSamePolicy(input.policy, live.policy)) await putOrDelete("policy", input.policy);
  await syncForce(context, place, input.force_destroy, live.force_destroy);
  await syncCdn(context, place, input.cdn, live.cdn);
}

export function isSamePolicy(wanted: string | undefined, live: string | undefined): boolean {
  if (wanted === undefined || live === undefined) return wanted === live;
  try {
    return JSON.stringify(JSON.parse(wanted)) === JSON.stringify(JSON.parse(live));
  } catch {
    return wanted === live;
  }
}

async function syncForce(context: Context, { bucket, region }: Place, wanted: boolean, live: boolean): Promise<void> {
  if (wanted === live) return;
  if (wanted) await callSpaces(context, region, { method: "PUT", bucket, key: forceKey, body: "{}" });
  else await callSpaces(context, region, { method: "DELETE", bucket, key: forceKey });
}

export function originOf({ bucket, region }: Place): string {
  return `${bucket}.${region}.digitaloceanspaces.com`;
}

function findCdn(context: Context, place: Place): Promise<CdnEndpoint | undefined> {
  return findItem(
    api(context).list<CdnEndpoint>("cdn/endpoints", "endpoints"),
    ({ origin }) => origin === originOf(place),
  );
}

export async function syncCdn(
  context: Context,
  place: Place,
  wanted: StorageInput["cdn"],
  live: CdnEndpoint | undefined,
): Promise<void> {
  const cloud = api(context);
  if (wanted === undefined) {
    if (live !== undefined) await orAbsent(cloud.delete(`cdn/endpoints/${live.id}`));
    return;
  }
  const settings = given({
    ttl: wanted.ttl,
    certificate_id: wanted.certificate_id,
    custom_domain: wanted.custom_domain,
  });
  if (live === undefined) await cloud.post("cdn/endpoints", { origin: originOf(place), ...settings });
  else if (Object.entries(settings).some(([key, value]) => live[key as keyof CdnEndpoint] !== value)) {
    await cloud.put(`cdn/endpoints/${live.id}`, settings);
  }
}
