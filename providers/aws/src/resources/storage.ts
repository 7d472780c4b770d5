import type { CreateBucketCommandInput } from "@aws-sdk/client-s3";
import { alreadyExists, notFound, ProviderFailure, type NotFound, type ResourceState } from "@wfctl/plugin-sdk";
import { aws, type Aws, type Context } from "../calls.ts";
import { isAwsError, orAbsent, orNone } from "../errors.ts";
import { isSame } from "../json.ts";
import { managedKeys, managesMark } from "../managed.ts";
import { creationTags, currentTags, isOwnCreate, logicalName, ownerOf, searchTags } from "../ownership.ts";
import { each } from "../paging.ts";
import { optionalAspects, optionalKeys, standingAspects, type Aspect } from "../storage/aspects.ts";
import { emptyBucket } from "../storage/empty-bucket.ts";
import { bucketName, storageInput, storageOutputs, type StorageInput, type StorageOutputs } from "../storage/schema.ts";
import { fromPairs, markPrefix, tagChanges, toPairs, userTags, type Tags } from "../tags.ts";
import { retryWhile } from "../waiting.ts";
import { orUnoffered, standInOf } from "../stand-in.ts";
import { asCreated, defineAwsResource } from "./define.ts";

type State = ResourceState<StorageInput, StorageOutputs>;

/** What delete must know and the bucket cannot say. */
const forceDestroyTag = `${markPrefix}force-destroy`;

/** An S3 bucket. Its id is its name. */
export const storage = defineAwsResource<StorageInput, StorageOutputs>({
  type: "infra.storage",
  service: "s3",
  description: "S3 bucket",
  input: storageInput,
  outputs: storageOutputs,
  forceNew: ["bucket", "region", "object_lock_enabled"],
  resetWhenUnset: ["policy", "lifecycle_rules", "cors_rules", "website", "logging", "object_lock_retention"],
  unordered: ["lifecycle_rules"],
  settledBy: { bucket: "bucket_name" },
  convergentCreate: true,
  settleMs: 10_000,
  tier: 2,

  async create({ name, input }, context) {
    const bucket = bucketOf(name, input);
    const cloud = aws(context, input.region);
    // In us-east-1 a second create of an own bucket succeeds: look first.
    const isNew = (await observe(cloud, bucket)) === undefined;
    if (isNew) {
      const clash = await makeBucket(cloud, bucket, name, input);
      if (clash !== undefined) return alreadyExists(clash);
    }
    const tags = isNew ? await markNew(cloud, bucket, name, input) : await tagsOf(cloud, bucket);
    if (!isOwnCreate(tags, context) && !(isNew && tags === keptNowhere)) {
      return alreadyExists(
        `Bucket "${bucket}" is there already and belongs to ${ownerOf(tags) ?? "no stack"}: adopt it, or name another bucket`,
      );
    }
    context.partial(bucket, { bucket_name: bucket, region: cloud.region });
    await sync(cloud, bucket, name, input);
    return asCreated(await describe(cloud, bucket, { applied: true }), isNew);
  },

  async read(ref, context) {
    const bucket = ref.id === "" ? ref.name : ref.id;
    return ref.id === "" && !bucketName.safeParse(bucket).success ? notFound() : readBucket(bucket, context);
  },

  async update(ref, { input, name }, context) {
    const region = await observe(aws(context), ref.id);
    if (region === undefined) return notFound(`Bucket "${ref.id}" does not exist`);
    const cloud = aws(context, region);
    await sync(cloud, ref.id, name, input);
    return describe(cloud, ref.id, { applied: true });
  },

  async delete(ref, context) {
    const region = await observe(aws(context), ref.id);
    if (region === undefined) return notFound();
    const cloud = aws(context, region);
    const tags = await tagsOf(cloud, ref.id);
    if (tags[forceDestroyTag] === "true") await emptyBucket(cloud, ref.id);
    try {
      await orNone(cloud.s3.deleteBucket({ Bucket: ref.id }), "NoSuchBucket");
    } catch (error) {
      if (!isAwsError(error, "BucketNotEmpty")) throw error;
      throw new ProviderFailure(
        "validation",
        `Cannot delete bucket "${ref.id}": it holds objects; empty it, or apply force_destroy: true first`,
        { cause: error },
      );
    }
    return undefined;
  },

  async lookup({ token, name }, context) {
    const isIt = async (bucket: string, region?: string): Promise<State | undefined> => {
      const where = region ?? (await observe(aws(context), bucket));
      if (where === undefined) return undefined;
      const cloud = aws(context, where);
      const tags = await tagsOf(cloud, bucket).catch(() => ({}) as Tags);
      return tags[`${markPrefix}token`] === token ? describe(cloud, bucket) : undefined;
    };
    if (bucketName.safeParse(name).success) {
      const found = await orForeign(isIt(name));
      if (found !== undefined) return found;
    }
    // Nothing in the question says under which name the bucket was made.
    for await (const { bucket, region } of buckets(context)) {
      const found = await isIt(bucket, region);
      if (found !== undefined) return found;
    }
    return notFound();
  },

  import: (id, context) => readBucket(id.replace(/^arn:[\w-]+:s3:::/, ""), context, { all: true }),

  async *list(context) {
    for await (const { bucket, region } of buckets(context)) {
      const state = await orForeign(readBucket(bucket, context, { region }));
      if (state !== undefined && !("notFound" in state)) yield state;
    }
  },

  async setMarks(ref, marks, context) {
    const region = await observe(aws(context), ref.id);
    if (region === undefined) return notFound();
    const cloud = aws(context, region);
    const tags = await tagsOf(cloud, ref.id);
    await cloud.s3.putBucketTagging({ Bucket: ref.id, Tagging: { TagSet: toPairs({ ...tags, ...marks }) } });
    return undefined;
  },
});

function bucketOf(name: string, input: StorageInput): string {
  const bucket = input.bucket ?? name;
  if (bucketName.safeParse(bucket).success) return bucket;
  throw new ProviderFailure(
    "validation",
    `"${bucket}" cannot be the name of a bucket: set bucket to 3 to 63 lower-case letters, digits and hyphens`,
  );
}

/** Region of a bucket that these credentials reach; undefined where it does not exist, or is another account's. */
async function observe({ s3, region }: Aws, bucket: string): Promise<string | undefined> {
  const head = await orForeign(s3.headBucket({ Bucket: bucket }));
  return head === undefined ? undefined : (head.BucketRegion ?? region);
}

/** Absent, or another's: S3 answers 403 for a bucket of another account. */
async function orForeign<Answer>(call: Promise<Answer>): Promise<Answer | undefined> {
  return orNone(orAbsent(call), "403", "Forbidden", "AccessDenied");
}

const marksOf = (input: StorageInput): Tags => ({
  ...managesMark(input, optionalKeys),
  [forceDestroyTag]: String(input.force_destroy),
});

const withoutTags = "buckets are known by their names alone, and nothing tells whose they are";
/** The tags of a bucket on a server that keeps none: neither whose it is nor what of it is configured can be told. */
const keptNowhere: Tags = {};

/**
 * The tags of a bucket that this call has made: some stores drop those of the create call, some keep none at all, and some
 * still have those of a deleted bucket of that name.
 */
async function markNew(cloud: Aws, bucket: string, name: string, input: StorageInput): Promise<Tags> {
  const made = await tagsOf(cloud, bucket);
  if (isOwnCreate(made, cloud.context) || (await standInOf(cloud, "s3")) === undefined) return made;
  await putTags(cloud, bucket, input, { ...creationTags(cloud.context, name, input.tags), ...marksOf(input) });
  return tagsOf(cloud, bucket);
}

/** Writes all tags. Where the server keeps none, that is a failure only of a configuration that needs them. */
async function putTags(cloud: Aws, bucket: string, input: StorageInput, tags: Tags): Promise<void> {
  const put = (): Promise<unknown> => cloud.s3.putBucketTagging({ Bucket: bucket, Tagging: { TagSet: toPairs(tags) } });
  if (input.force_destroy || Object.keys(input.tags).length > 0) await put();
  else await orUnoffered(cloud, "s3:PutBucketTagging", withoutTags, put);
}

/** Makes the bucket with its marks in the one call. The answer is why it cannot be made, where another has the name. */
async function makeBucket(cloud: Aws, bucket: string, name: string, input: StorageInput): Promise<string | undefined> {
  const { s3, region, context } = cloud;
  const location = region as NonNullable<CreateBucketCommandInput["CreateBucketConfiguration"]>["LocationConstraint"];
  const request = {
    Bucket: bucket,
    ObjectOwnership: input.object_ownership,
    ObjectLockEnabledForBucket: input.object_lock_enabled,
    CreateBucketConfiguration: {
      Tags: toPairs({ ...creationTags(context, name, input.tags), ...marksOf(input) }),
      ...(region === "us-east-1" ? {} : { LocationConstraint: location }),
    },
  };
  try {
    // A bucket of this name that is still being deleted is in the way for a while.
    const make = (plain: boolean): Promise<unknown> => s3.createBucket(plain ? { Bucket: bucket } : request);
    let isPlain = false;
    await retryWhile(
      context,
      ["OperationAborted"],
      `name ${bucket} to be free`,
      () =>
        make(isPlain).catch(async (error: unknown) => {
          if (isPlain || !isAwsError(error, "MalformedXML") || (await standInOf(cloud, "s3")) === undefined)
            throw error;
          // What stands in for S3 may know less of a new bucket than S3.
          isPlain = true;
          return make(isPlain);
        }),
      { timeoutMs: 180_000 },
    );
  } catch (error) {
    if (isAwsError(error, "BucketAlreadyOwnedByYou")) return undefined;
    if (!isAwsError(error, "BucketAlreadyExists")) throw error;
    return `Bucket "${bucket}" belongs to another account: bucket names are shared by all of AWS, name another`;
  }
  return undefined;
}

/** Brings everything that is set by calls of its own to what is wanted. */
async function sync(cloud: Aws, bucket: string, name: string, input: StorageInput): Promise<void> {
  const live = await tagsOf(cloud, bucket);
  const managed = live === keptNowhere ? optionalKeys : managedKeys(live, optionalKeys);
  // Where it says who may read, ownership goes before a policy, and a policy before it is blocked.
  for (const key of ["versioning", "encryption", "object_ownership"] as const) {
    await syncAspect(cloud, bucket, key, standingAspects[key], input[key]);
  }
  for (const key of optionalKeys) {
    await syncAspect(cloud, bucket, key, optionalAspects[key], input[key], managed.includes(key));
    if (key === "policy") {
      const wanted = input.public_access_block;
      await syncAspect(cloud, bucket, "public_access_block", standingAspects.public_access_block, wanted);
    }
  }
  if (input.object_lock_enabled) await syncLock(cloud, bucket, input);
  const wanted = {
    ...currentTags(cloud.context, name, input.tags, live),
    ...marksOf(input),
  };
  const { set, remove } = tagChanges(live, wanted);
  if (Object.keys(set).length + remove.length === 0) return;
  const kept = Object.fromEntries(
    Object.entries(live).filter(([key]) => !remove.includes(key) && !key.startsWith("aws:")),
  );
  await putTags(cloud, bucket, input, { ...kept, ...set });
}

async function syncAspect<Key extends keyof StorageInput>(
  cloud: Aws,
  bucket: string,
  key: Key,
  aspect: Aspect<Key>,
  wanted: StorageInput[Key] | undefined,
  managed = true,
): Promise<void> {
  if (wanted === undefined && !managed) return;
  const live = await readAspect(cloud, bucket, key, aspect);
  if (isSame(live, wanted)) return;
  // Of nothing, nothing is taken away: not every store knows the part of the bucket in a delete from the bucket.
  if (live === undefined && Array.isArray(wanted) && wanted.length === 0) return;
  if (wanted !== undefined) await aspect.put(cloud, bucket, wanted as NonNullable<StorageInput[Key]>);
  else await aspect.remove?.(cloud, bucket);
}

const defaults = storageInput.parse({});

/** What is set on a bucket; the default where the server cannot say. */
async function readAspect<Key extends keyof StorageInput>(
  cloud: Aws,
  bucket: string,
  key: Key,
  aspect: Aspect<Key>,
): Promise<StorageInput[Key]> {
  const instead = `${key} is taken as it is by default`;
  const live = await orUnoffered(cloud, `s3:${aspect.reads}`, instead, () => aspect.get(cloud, bucket));
  return live ?? defaults[key];
}

async function syncLock({ s3 }: Aws, bucket: string, { object_lock_retention: lock }: StorageInput): Promise<void> {
  const live = await orAbsent(s3.getObjectLockConfiguration({ Bucket: bucket }));
  const wanted = lock === undefined ? undefined : { Mode: lock.mode, Days: lock.days, Years: lock.years };
  if (isSame(live?.ObjectLockConfiguration?.Rule?.DefaultRetention, wanted)) return;
  await s3.putObjectLockConfiguration({
    Bucket: bucket,
    ObjectLockConfiguration: {
      ObjectLockEnabled: "Enabled",
      ...(wanted === undefined ? {} : { Rule: { DefaultRetention: wanted } }),
    },
  });
}

async function tagsOf(cloud: Aws, bucket: string): Promise<Tags> {
  const found = await orUnoffered(cloud, "s3:GetBucketTagging", withoutTags, async () => ({
    answer: await orAbsent(cloud.s3.getBucketTagging({ Bucket: bucket })),
  }));
  // A server that passes over what it does not know answers something else than tags.
  if (found === undefined || (found.answer !== undefined && found.answer.TagSet === undefined)) return keptNowhere;
  return fromPairs(found.answer?.TagSet);
}

async function readBucket(
  bucket: string,
  context: Context,
  options: { all?: boolean; region?: string } = {},
): Promise<State | NotFound> {
  const head = await orAbsent(aws(context, options.region).s3.headBucket({ Bucket: bucket }));
  if (head === undefined) return notFound();
  const region = head.BucketRegion ?? options.region ?? context.client.region;
  return describe(aws(context, region), bucket, options);
}

/**
 * The bucket as it is. `applied`: without inputs, which the input just applied stands in for. `all`: with parts that no
 * configuration manages.
 */
async function describe(
  cloud: Aws,
  bucket: string,
  { applied = false, all = false }: { applied?: boolean; all?: boolean } = {},
): Promise<State> {
  const { region, client, context } = cloud;
  const [tags, { partition }] = await Promise.all([tagsOf(cloud, bucket), client.identity(context.signal)]);
  const suffix = partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
  const domain = `${bucket}.s3.${region}.${suffix}`;
  const inputs = applied ? undefined : await readInputs(cloud, bucket, tags, all);
  const website = inputs?.website === undefined ? {} : { website_endpoint: `${bucket}.s3-website.${region}.${suffix}` };
  return {
    id: bucket,
    name: logicalName(tags, bucket),
    owner: ownerOf(tags),
    tags: searchTags(tags),
    outputs: {
      bucket_name: bucket,
      region,
      endpoint: `https://${domain}`,
      arn: `arn:${partition}:s3:::${bucket}`,
      domain_name: domain,
      ...website,
      tags_all: tags,
    },
    ...(inputs === undefined ? {} : { inputs }),
  };
}

async function readInputs(cloud: Aws, bucket: string, tags: Tags, all: boolean): Promise<Partial<StorageInput>> {
  const isUnknown = tags === keptNowhere;
  const managed = all || isUnknown ? optionalKeys : managedKeys(tags, optionalKeys);
  const [versioning, encryption, publicAccess, ownership, lock, ...optional] = await Promise.all([
    readAspect(cloud, bucket, "versioning", standingAspects.versioning),
    readAspect(cloud, bucket, "encryption", standingAspects.encryption),
    readAspect(cloud, bucket, "public_access_block", standingAspects.public_access_block),
    readAspect(cloud, bucket, "object_ownership", standingAspects.object_ownership),
    orUnoffered(cloud, "s3:GetObjectLockConfiguration", "objects are taken as not locked", () =>
      orAbsent(cloud.s3.getObjectLockConfiguration({ Bucket: bucket })),
    ),
    ...managed.map(async (key) => {
      const aspect: Aspect<typeof key> = optionalAspects[key];
      return [key, await readAspect(cloud, bucket, key, aspect)] as const;
    }),
  ]);
  const retention = lock?.ObjectLockConfiguration?.Rule?.DefaultRetention;
  return {
    bucket,
    region: cloud.region,
    versioning,
    encryption,
    public_access_block: publicAccess,
    object_ownership: ownership,
    object_lock_enabled: lock?.ObjectLockConfiguration?.ObjectLockEnabled === "Enabled",
    ...(retention?.Mode === undefined
      ? {}
      : {
          object_lock_retention: {
            mode: retention.Mode,
            ...(retention.Days === undefined ? {} : { days: retention.Days }),
            ...(retention.Years === undefined ? {} : { years: retention.Years }),
          },
        }),
    ...(Object.fromEntries(optional.filter(([, value]) => value !== undefined)) as Partial<StorageInput>),
    ...(isUnknown ? {} : { force_destroy: tags[forceDestroyTag] === "true" }),
    tags: userTags(tags, { defaults: cloud.client.config.default_tags }),
  };
}

/** All buckets of the account, with their regions. */
async function* buckets(context: Context): AsyncGenerator<{ bucket: string; region: string }> {
  const { s3, region: home } = aws(context);
  yield* mapEach(
    each(async (token) => {
      const page = await s3.listBuckets({
        MaxBuckets: 1000,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      return [page.Buckets, page.ContinuationToken] as const;
    }),
    ({ Name, BucketRegion }) => ({ bucket: Name ?? "", region: BucketRegion ?? home }),
  );
}

async function* mapEach<From, To>(items: AsyncIterable<From>, map: (item: From) => To): AsyncGenerator<To> {
  for await (const item of items) yield map(item);
}
