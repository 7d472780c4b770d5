import { z } from "@wfctl/plugin-sdk";

export type Tags = Readonly<Record<string, string>>;
/** As nearly every service lists them. */
export interface TagPair {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}

/** Names of our own marks begin with this. */
export const markPrefix = "wfctl:";
const maxTags = 40;

/** Tags as a user writes them. Our own marks and AWS's are not for users. */
export const tagMap = z
  .record(
    z
      .string()
      .min(1)
      .max(128)
      .refine((key) => !key.toLowerCase().startsWith("aws:") && !key.startsWith(markPrefix), {
        error: 'expected a tag that does not begin with "aws:" or "wfctl:"',
      }),
    z.string().max(256),
  )
  .refine((tags) => Object.keys(tags).length <= maxTags, { error: `expected at most ${maxTags} tags` });

export const toPairs = (tags: Tags): { Key: string; Value: string }[] =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

export const toLowerPairs = (tags: Tags): { key: string; value: string }[] =>
  Object.entries(tags).map(([key, value]) => ({ key, value }));

export function fromPairs(pairs: readonly TagPair[] | undefined): Record<string, string> {
  return Object.fromEntries((pairs ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""]));
}

export function fromLowerPairs(
  pairs: readonly { key?: string | undefined; value?: string | undefined }[] | undefined,
): Record<string, string> {
  return Object.fromEntries((pairs ?? []).map(({ key, value }) => [key ?? "", value ?? ""]));
}

/**
 * The tags that the user's configuration is compared with: without marks, AWS's own, the `Name` that we wrote ourselves,
 * and the provider's default tags.
 */
export function userTags(live: Tags, options: { defaults: Tags; name?: string | undefined }): Record<string, string> {
  return Object.fromEntries(
    Object.entries(live).filter(
      ([key, value]) =>
        !key.startsWith(markPrefix) &&
        !key.startsWith("aws:") &&
        key !== upstreamOwnerTag &&
        !(key === "Name" && value === options.name) &&
        options.defaults[key] !== value,
    ),
  );
}

/** The tag in which upstream's plugin keeps the owner. Read, never written. */
export const upstreamOwnerTag = "workflow-owner";

/** What has to be written and removed so that the user's tags on an object become `wanted`. Marks are left alone. */
export function tagChanges(live: Tags, wanted: Tags): { set: Record<string, string>; remove: string[] } {
  const set = Object.fromEntries(Object.entries(wanted).filter(([key, value]) => live[key] !== value));
  const remove = Object.keys(live).filter(
    (key) => !(key in wanted) && !key.startsWith(markPrefix) && !key.startsWith("aws:") && key !== upstreamOwnerTag,
  );
  return { set, remove };
}
