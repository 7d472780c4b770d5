import type { CORSRule } from "@aws-sdk/client-s3";
import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { defined } from "../json.ts";
import { normalPolicyText } from "../policy.ts";
import { fromSdkRule, toSdkRule } from "./lifecycle.ts";
import type { StorageInput } from "./schema.ts";

/** One thing that is set on a bucket by calls of its own. */
export interface Aspect<Key extends keyof StorageInput> {
  /** The call that reads it. */
  readonly reads: string;
  /** As the input has it; undefined where it is not set. */
  get(aws: Aws, bucket: string): Promise<StorageInput[Key] | undefined>;
  put(aws: Aws, bucket: string, value: NonNullable<StorageInput[Key]>): Promise<unknown>;
  /** Only of those that a configuration can leave out. */
  remove?(aws: Aws, bucket: string): Promise<unknown>;
}

/** Set on every bucket. */
export const standingAspects = {
  versioning: {
    reads: "GetBucketVersioning",
    get: async ({ s3 }, bucket) => (await s3.getBucketVersioning({ Bucket: bucket })).Status === "Enabled",
    put: ({ s3 }, bucket, enabled) =>
      s3.putBucketVersioning({
        Bucket: bucket,
        VersioningConfiguration: { Status: enabled ? "Enabled" : "Suspended" },
      }),
  } satisfies Aspect<"versioning">,
  encryption: {
    reads: "GetBucketEncryption",
    async get({ s3 }, bucket) {
      const answer = await orAbsent(s3.getBucketEncryption({ Bucket: bucket }));
      const rule = answer?.ServerSideEncryptionConfiguration?.Rules?.[0];
      const by = rule?.ApplyServerSideEncryptionByDefault;
      const algorithm = (by?.SSEAlgorithm ?? "AES256") as StorageInput["encryption"]["algorithm"];
      const key = by?.KMSMasterKeyID;
      return {
        algorithm,
        bucket_key_enabled: rule?.BucketKeyEnabled ?? false,
        ...(key === undefined ? {} : { kms_key_id: key }),
      };
    },
    put: ({ s3 }, bucket, { algorithm, kms_key_id: key, bucket_key_enabled: bucketKey }) =>
      s3.putBucketEncryption({
        Bucket: bucket,
        ServerSideEncryptionConfiguration: {
          Rules: [
            {
              ApplyServerSideEncryptionByDefault: {
                SSEAlgorithm: algorithm,
                ...(key === undefined ? {} : { KMSMasterKeyID: key }),
              },
              BucketKeyEnabled: bucketKey,
            },
          ],
        },
      }),
  } satisfies Aspect<"encryption">,
  public_access_block: {
    reads: "GetPublicAccessBlock",
    async get({ s3 }, bucket) {
      const answer = await orAbsent(s3.getPublicAccessBlock({ Bucket: bucket }));
      const block = answer?.PublicAccessBlockConfiguration;
      // A server that passes over what it does not know answers something else.
      if (answer !== undefined && block?.BlockPublicAcls === undefined) return undefined;
      return {
        block_public_acls: block?.BlockPublicAcls ?? false,
        ignore_public_acls: block?.IgnorePublicAcls ?? false,
        block_public_policy: block?.BlockPublicPolicy ?? false,
        restrict_public_buckets: block?.RestrictPublicBuckets ?? false,
      };
    },
    put: ({ s3 }, bucket, block) =>
      s3.putPublicAccessBlock({
        Bucket: bucket,
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: block.block_public_acls,
          IgnorePublicAcls: block.ignore_public_acls,
          BlockPublicPolicy: block.block_public_policy,
          RestrictPublicBuckets: block.restrict_public_buckets,
        },
      }),
  } satisfies Aspect<"public_access_block">,
  object_ownership: {
    reads: "GetBucketOwnershipControls",
    async get({ s3 }, bucket) {
      const answer = await orAbsent(s3.getBucketOwnershipControls({ Bucket: bucket }));
      const rules = answer?.OwnershipControls?.Rules;
      if (answer !== undefined && rules === undefined) return undefined;
      return rules?.[0]?.ObjectOwnership ?? "ObjectWriter";
    },
    put: ({ s3 }, bucket, ownership) =>
      s3.putBucketOwnershipControls({
        Bucket: bucket,
        OwnershipControls: { Rules: [{ ObjectOwnership: ownership }] },
      }),
  } satisfies Aspect<"object_ownership">,
} as const;

/** Left alone while the configuration does not name them. */
export const optionalAspects = {
  policy: {
    reads: "GetBucketPolicy",
    async get({ s3 }, bucket) {
      const answer = await orAbsent(s3.getBucketPolicy({ Bucket: bucket }));
      // A server that passes over what it does not know answers something else than a policy.
      return answer?.Policy?.trimStart().startsWith("{") === true ? normalPolicyText(answer.Policy) : undefined;
    },
    put: ({ s3 }, bucket, policy) => s3.putBucketPolicy({ Bucket: bucket, Policy: policy }),
    remove: ({ s3 }, bucket) => s3.deleteBucketPolicy({ Bucket: bucket }),
  } satisfies Aspect<"policy">,
  lifecycle_rules: {
    reads: "GetBucketLifecycleConfiguration",
    async get({ s3 }, bucket) {
      const answer = await orAbsent(s3.getBucketLifecycleConfiguration({ Bucket: bucket }));
      return answer?.Rules?.map(fromSdkRule);
    },
    put: ({ s3 }, bucket, rules) =>
      rules.length === 0
        ? s3.deleteBucketLifecycle({ Bucket: bucket })
        : s3.putBucketLifecycleConfiguration({
            Bucket: bucket,
            LifecycleConfiguration: { Rules: rules.map(toSdkRule) },
          }),
    remove: ({ s3 }, bucket) => s3.deleteBucketLifecycle({ Bucket: bucket }),
  } satisfies Aspect<"lifecycle_rules">,
  cors_rules: {
    reads: "GetBucketCors",
    async get({ s3 }, bucket) {
      const answer = await orAbsent(s3.getBucketCors({ Bucket: bucket }));
      return answer?.CORSRules?.map(fromSdkCors);
    },
    put: ({ s3 }, bucket, rules) =>
      rules.length === 0
        ? s3.deleteBucketCors({ Bucket: bucket })
        : s3.putBucketCors({ Bucket: bucket, CORSConfiguration: { CORSRules: rules.map(toSdkCors) } }),
    remove: ({ s3 }, bucket) => s3.deleteBucketCors({ Bucket: bucket }),
  } satisfies Aspect<"cors_rules">,
  website: {
    reads: "GetBucketWebsite",
    async get({ s3 }, bucket) {
      const answer = await orAbsent(s3.getBucketWebsite({ Bucket: bucket }));
      const redirect = answer?.RedirectAllRequestsTo;
      if (answer?.IndexDocument === undefined && redirect === undefined) return undefined;
      return defined({
        index_document: answer?.IndexDocument?.Suffix,
        error_document: answer?.ErrorDocument?.Key,
        redirect_all_requests_to:
          redirect === undefined
            ? undefined
            : defined({ host_name: redirect.HostName ?? "", protocol: redirect.Protocol }),
      }) as NonNullable<StorageInput["website"]>;
    },
    put: ({ s3 }, bucket, { index_document: index, error_document: error, redirect_all_requests_to: redirect }) =>
      s3.putBucketWebsite({
        Bucket: bucket,
        WebsiteConfiguration: defined({
          IndexDocument: index === undefined ? undefined : { Suffix: index },
          ErrorDocument: error === undefined ? undefined : { Key: error },
          RedirectAllRequestsTo:
            redirect === undefined ? undefined : { HostName: redirect.host_name, Protocol: redirect.protocol },
        }),
      }),
    remove: ({ s3 }, bucket) => s3.deleteBucketWebsite({ Bucket: bucket }),
  } satisfies Aspect<"website">,
  logging: {
    reads: "GetBucketLogging",
    async get({ s3 }, bucket) {
      const logging = (await orAbsent(s3.getBucketLogging({ Bucket: bucket })))?.LoggingEnabled;
      return logging === undefined
        ? undefined
        : { bucket: logging.TargetBucket ?? "", prefix: logging.TargetPrefix ?? "" };
    },
    put: ({ s3 }, bucket, logging) =>
      s3.putBucketLogging({
        Bucket: bucket,
        BucketLoggingStatus: { LoggingEnabled: { TargetBucket: logging.bucket, TargetPrefix: logging.prefix } },
      }),
    remove: ({ s3 }, bucket) => s3.putBucketLogging({ Bucket: bucket, BucketLoggingStatus: {} }),
  } satisfies Aspect<"logging">,
} as const;

export const optionalKeys = Object.keys(optionalAspects) as readonly (keyof typeof optionalAspects)[];

type CorsRule = NonNullable<StorageInput["cors_rules"]>[number];

function toSdkCors(rule: CorsRule): CORSRule {
  return defined({
    ID: rule.id,
    AllowedMethods: rule.allowed_methods,
    AllowedOrigins: rule.allowed_origins,
    AllowedHeaders: rule.allowed_headers,
    ExposeHeaders: rule.expose_headers,
    MaxAgeSeconds: rule.max_age_seconds,
  }) as CORSRule;
}

function fromSdkCors(rule: CORSRule): CorsRule {
  return defined({
    id: rule.ID,
    allowed_methods: rule.AllowedMethods,
    allowed_origins: rule.AllowedOrigins,
    allowed_headers: rule.AllowedHeaders,
    expose_headers: rule.ExposeHeaders,
    max_age_seconds: rule.MaxAgeSeconds,
  }) as CorsRule;
}
