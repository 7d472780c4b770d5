import { decodeOutput, decodeRef, iac, iacServiceNames } from "@wfctl/contract";
import type { CallOptions } from "@wfctl/engine";
import { isJsonObject, ProviderError, type Json } from "@wfctl/model";

import { isUnimplemented } from "./load-failure.ts";
import type { LoadedPlugin } from "./load.ts";
import type { ListedRef } from "./options.ts";
import { callUnary } from "./unary-call.ts";

/** Asks the enumerator. Undefined where there is none, or none for this type. */
export async function listObjects(
  { connection, services }: LoadedPlugin,
  which: { readonly type: string } | { readonly tag: string },
  options: CallOptions,
): Promise<readonly ListedRef[] | undefined> {
  if (!services.has(iacServiceNames.IaCProviderEnumerator)) return undefined;
  const { enumerateAll, enumerateByTag } = iac.IaCProviderEnumerator.method;
  try {
    if ("tag" in which) {
      const { response } = await callUnary(connection.client, enumerateByTag, { tag: which.tag }, options);
      return response.refs.map((ref) => ({ ...decodeRef(ref), tags: [] }));
    }
    const { response } = await callUnary(connection.client, enumerateAll, { resourceType: which.type }, options);
    return response.outputs.map((output) => {
      const { name, type, providerId, outputs } = decodeOutput(output);
      return { name, type: type === "" ? which.type : type, providerId, tags: tagsOf(outputs["tags"]) };
    });
  } catch (error) {
    // Some plugins advertise what they do not serve.
    if (error instanceof ProviderError && (error.class === "unsupported" || isUnimplemented(error.cause)))
      return undefined;
    throw error;
  }
}

function tagsOf(value: Json | undefined): string[] {
  if (Array.isArray(value)) return value.filter((tag): tag is string => typeof tag === "string");
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, text]) => (typeof text === "string" ? [`${key}=${text}`] : []));
}
