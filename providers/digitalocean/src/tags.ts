import { z } from "@wfctl/plugin-sdk";

/** Tags of our own begin with this. */
export const markPrefix = "wfctl-";
/** Upstream's plugin keeps the owner in such a tag. Read, never written. */
export const upstreamOwnerPrefix = "workflow-owner:";
/** The platform's own, on clusters. */
const foreignTag = /^k8s(?::.*)?$/;

/** A tag as a user writes it. */
export const userTag = z
  .string()
  .regex(/^[a-zA-Z0-9_:-]{1,255}$/, { error: "expected 1 to 255 letters, digits, colons, dashes or underscores" })
  .refine((tag) => !tag.startsWith(markPrefix), { error: `tags that begin with "${markPrefix}" belong to wfctl` });

export const tagList = z.array(userTag).default([]);

/** What the user's configuration is compared with: without marks and the provider's default tags. */
export function userTags(live: readonly string[], defaults: readonly string[]): string[] {
  return live.filter((tag) => !isMark(tag) && !foreignTag.test(tag) && !defaults.includes(tag)).toSorted();
}

export function isMark(tag: string): boolean {
  return tag.startsWith(markPrefix) || tag.startsWith(upstreamOwnerPrefix);
}

/** What has to be added and taken away so that the user's tags become `wanted`. Marks and the platform's stay. */
export function tagChanges(live: readonly string[], wanted: readonly string[]): { add: string[]; remove: string[] } {
  return {
    add: wanted.filter((tag) => !live.includes(tag)),
    remove: live.filter((tag) => !isMark(tag) && !foreignTag.test(tag) && !wanted.includes(tag)),
  };
}
