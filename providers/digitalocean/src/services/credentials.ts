import { ProviderFailure } from "@wfctl/plugin-sdk";
import { api, type Context } from "../calls.ts";
import { orAbsent } from "../errors.ts";

const source = "digitalocean.spaces";

/** Deletes a Spaces key; one that is gone is revoked. */
export async function revokeCredential(from: string, credentialId: string, context: Context): Promise<void> {
  if (from !== source)
    throw new ProviderFailure("validation", `Cannot revoke a credential of "${from}": expected "${source}"`);
  if (credentialId === "") throw new ProviderFailure("validation", "Cannot revoke a credential without its id");
  await orAbsent(api(context).delete(`spaces/keys/${encodeURIComponent(credentialId)}`));
}
