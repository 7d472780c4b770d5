import { escapeXml, textsOf } from "@wfctl/object-store";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import type { Context } from "../calls.ts";
import type { Place } from "./bucket.ts";
import { callSpaces } from "./spaces.ts";

interface Version {
  readonly key: string;
  readonly version: string | undefined;
}

/** Deletes every object in every version, a page at a time. Heeds a stop between pages. */
export async function emptyBucket(context: Context, { bucket, region }: Place): Promise<void> {
  for (;;) {
    context.signal.throwIfAborted();
    if (context.stopping.aborted)
      throw new ProviderFailure("cancelled", `The run was stopped while bucket ${bucket} was emptied`);
    const { body } = await callSpaces(context, region, {
      method: "GET",
      bucket,
      query: { versions: "", "max-keys": "1000" },
    });
    const versions = ["Version", "DeleteMarker"].flatMap((name) => textsOf(body, name).map(toVersion));
    if (versions.length === 0) return;
    context.progress(`Deleting ${versions.length} objects of bucket ${bucket}`);
    await callSpaces(context, region, { method: "POST", bucket, query: { delete: "" }, body: deleteBody(versions) });
  }
}

/** How many objects a bucket holds, up to two: whether it can be deleted. */
export async function someKeys(context: Context, { bucket, region }: Place): Promise<string[]> {
  const { body } = await callSpaces(context, region, {
    method: "GET",
    bucket,
    query: { versions: "", "max-keys": "3" },
  });
  return [...new Set(textsOf(body, "Key"))];
}

function toVersion(xml: string): Version {
  return { key: textsOf(xml, "Key")[0] ?? "", version: textsOf(xml, "VersionId")[0] };
}

function deleteBody(versions: readonly Version[]): string {
  const objects = versions.map(
    ({ key, version }) =>
      `<Object><Key>${escapeXml(key)}</Key>${version === undefined ? "" : `<VersionId>${escapeXml(version)}</VersionId>`}</Object>`,
  );
  return `<Delete><Quiet>true</Quiet>${objects.join("")}</Delete>`;
}
