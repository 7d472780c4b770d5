import type { LifecycleRule as SdkRule, LifecycleRuleFilter, TransitionStorageClass } from "@aws-sdk/client-s3";
import { fromPairs, toPairs } from "../tags.ts";
import type { LifecycleRule } from "./schema.ts";

/** A rule as S3 wants it. */
export function toSdkRule(rule: LifecycleRule): SdkRule {
  const { expiration_days: days, expired_object_delete_marker: marker } = rule;
  const { noncurrent_expiration_days: noncurrentDays, newer_noncurrent_versions: newer } = rule;
  return {
    ID: rule.id,
    Status: rule.enabled ? "Enabled" : "Disabled",
    Filter: toFilter(rule),
    ...(days === undefined && marker === undefined
      ? {}
      : { Expiration: days === undefined ? { ExpiredObjectDeleteMarker: marker } : { Days: days } }),
    ...(noncurrentDays === undefined
      ? {}
      : { NoncurrentVersionExpiration: { NoncurrentDays: noncurrentDays, NewerNoncurrentVersions: newer } }),
    ...(rule.abort_incomplete_upload_days === undefined
      ? {}
      : { AbortIncompleteMultipartUpload: { DaysAfterInitiation: rule.abort_incomplete_upload_days } }),
    ...(rule.transitions === undefined
      ? {}
      : { Transitions: rule.transitions.map((each) => ({ Days: each.days, StorageClass: each.storage_class })) }),
    ...(rule.noncurrent_transitions === undefined
      ? {}
      : {
          NoncurrentVersionTransitions: rule.noncurrent_transitions.map((each) => ({
            NoncurrentDays: each.days,
            StorageClass: each.storage_class,
          })),
        }),
  };
}

/** A filter with more than one condition, or a tag beside a prefix, must be an And. */
function toFilter(rule: LifecycleRule): LifecycleRuleFilter {
  const tags = toPairs(rule.tags ?? {});
  const conditions = {
    ...(rule.prefix === "" ? {} : { Prefix: rule.prefix }),
    ...(rule.object_size_greater_than === undefined ? {} : { ObjectSizeGreaterThan: rule.object_size_greater_than }),
    ...(rule.object_size_less_than === undefined ? {} : { ObjectSizeLessThan: rule.object_size_less_than }),
  };
  const count = Object.keys(conditions).length + tags.length;
  if (count === 0) return { Prefix: "" };
  if (count > 1) return { And: { ...conditions, ...(tags.length === 0 ? {} : { Tags: tags }) } };
  const [tag] = tags;
  return tag === undefined ? conditions : { Tag: tag };
}

/** A rule as the input has it. */
export function fromSdkRule(rule: SdkRule): LifecycleRule {
  const { Filter: filter } = rule;
  const all = { ...filter, ...filter?.And };
  const tags = fromPairs([...(filter?.And?.Tags ?? []), ...(filter?.Tag === undefined ? [] : [filter.Tag])]);
  const optional = {
    tags: Object.keys(tags).length === 0 ? undefined : tags,
    object_size_greater_than: all.ObjectSizeGreaterThan,
    object_size_less_than: all.ObjectSizeLessThan,
    expiration_days: rule.Expiration?.Days,
    expired_object_delete_marker: rule.Expiration?.ExpiredObjectDeleteMarker || undefined,
    noncurrent_expiration_days: rule.NoncurrentVersionExpiration?.NoncurrentDays,
    newer_noncurrent_versions: rule.NoncurrentVersionExpiration?.NewerNoncurrentVersions,
    abort_incomplete_upload_days: rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation,
    transitions: rule.Transitions?.map((each) => ({
      days: each.Days ?? 0,
      storage_class: storageClassOf(each.StorageClass),
    })),
    noncurrent_transitions: rule.NoncurrentVersionTransitions?.map((each) => ({
      days: each.NoncurrentDays ?? 0,
      storage_class: storageClassOf(each.StorageClass),
    })),
  };
  return {
    id: rule.ID ?? "",
    enabled: rule.Status === "Enabled",
    prefix: all.Prefix ?? rule.Prefix ?? "",
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as typeof optional),
  };
}

type InputClass = NonNullable<LifecycleRule["transitions"]>[number]["storage_class"];
const storageClassOf = (name: TransitionStorageClass | undefined): InputClass => name as InputClass;
