import { alreadyExists, notFound, ProviderFailure, type ResourceState } from "@wfctl/plugin-sdk";
import type { Context } from "../calls.ts";
import {
  forceKey,
  isIn,
  isSamePolicy,
  locateBucket,
  originOf,
  readSettings,
  syncBucket,
  syncCdn,
  type Place,
} from "../storage/bucket.ts";
import { emptyBucket, someKeys } from "../storage/empty.ts";
import { storageInput, storageOutputs, type StorageInput, type StorageOutputs } from "../storage/schema.ts";
import { callSpaces, orNoSuch, SpacesFailure } from "../storage/spaces.ts";
import { scopes } from "../permissions.ts";
import { defineDoResource } from "./define.ts";

/** A Spaces bucket. Its id is its name, which no other bucket of the world has; there are no tags. */
export const storage = defineDoResource<StorageInput, StorageOutputs>({
  type: "infra.storage",
  description: "Spaces bucket",
  input: storageInput,
  outputs: storageOutputs,
  forceNew: ["name", "region"],
  resetWhenUnset: ["policy", "cdn"],
  permissions: scopes("cdn"),
  timeouts: { create: 300_000, update: 300_000, delete: 3_600_000 },
  tier: 2,

  async create({ name, input }, context) {
    const place = { bucket: input.name ?? name, region: input.region ?? context.client.config.region };
    try {
      if (await isIn(context, place))
        return alreadyExists(`Bucket "${place.bucket}" is there already: adopt it, or choose another name`);
      const headers = { "x-amz-acl": input.acl ?? "private" };
      await callSpaces(context, place.region, { method: "PUT", bucket: place.bucket, headers });
    } catch (error) {
      if (!(error instanceof SpacesFailure) || error.class !== "already_exists") throw error;
      return alreadyExists(`Bucket "${place.bucket}" is there already, maybe of someone else: choose another name`);
    }
    context.partial(place.bucket, { name: place.bucket, region: place.region });
    await syncBucket(context, place, input);
    return { ...(await describe(context, place)), created: true };
  },

  async read(ref, context) {
    const place = await locateBucket(context, ref.id === "" ? ref.name : ref.id);
    return place === undefined ? notFound() : describe(context, place);
  },

  async update(ref, { input }, context) {
    const place = await locateBucket(context, ref.id === "" ? ref.name : ref.id);
    if (place === undefined) return notFound();
    await syncBucket(context, place, input);
    return describe(context, place);
  },

  async delete(ref, context) {
    const place = await locateBucket(context, ref.id === "" ? ref.name : ref.id);
    if (place === undefined) return notFound();
    const { cdn, force_destroy: force } = await readSettings(context, place);
    const keys = force ? [] : (await someKeys(context, place)).filter((key) => key !== forceKey);
    if (keys.length > 0) {
      throw new ProviderFailure(
        "validation",
        `Cannot delete bucket "${place.bucket}": it holds objects such as "${keys[0]}"; apply force_destroy: true first, or empty it`,
      );
    }
    await syncCdn(context, place, undefined, cdn);
    await emptyBucket(context, place);
    await orNoSuch(callSpaces(context, place.region, { method: "DELETE", bucket: place.bucket }));
    return undefined;
  },

  async *list(context) {
    const { config } = context.client;
    const { textsOf } = await import("@wfctl/object-store");
    const { body } = await callSpaces(context, config.region, { method: "GET", bucket: "" });
    for (const bucket of textsOf(body, "Bucket").flatMap((each) => textsOf(each, "Name"))) {
      const place = await locateBucket(context, bucket);
      if (place !== undefined) yield describe(context, place);
    }
  },

  diff(_desired, _known, standard) {
    const changes = standard.changes.filter(
      ({ path, old, new: wanted }) => path !== "policy" || !isSamePolicy(textOf(wanted), textOf(old)),
    );
    return { changes };
  },
});

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

async function describe(context: Context, place: Place): Promise<ResourceState<StorageInput, StorageOutputs>> {
  const { bucket, region } = place;
  const { cdn, policy, ...settings } = await readSettings(context, place);
  return {
    id: bucket,
    name: bucket,
    outputs: {
      id: bucket,
      name: bucket,
      region,
      endpoint: context.client.spacesEndpoint(region),
      bucket_domain_name: originOf(place),
      urn: `do:space:${bucket}`,
      cdn_endpoint: cdn?.endpoint ?? "",
    },
    inputs: {
      name: bucket,
      region,
      ...settings,
      ...(policy === undefined ? {} : { policy }),
      ...(cdn === undefined
        ? {}
        : {
            cdn: {
              ttl: cdn.ttl as NonNullable<StorageInput["cdn"]>["ttl"],
              ...(cdn.custom_domain === undefined ? {} : { custom_domain: cdn.custom_domain }),
              ...(cdn.certificate_id === undefined ? {} : { certificate_id: cdn.certificate_id }),
            },
          }),
    },
  };
}
