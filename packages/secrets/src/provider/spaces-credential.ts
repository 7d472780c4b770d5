import { memberOf, refuseStatus, requestJson, type Fetch } from "../http.ts";
import { storeError } from "../store-error.ts";

/** How credentials of a provider are made: DigitalOcean's keys for Spaces. */
export interface CredentialApi {
  /** `DIGITALOCEAN_TOKEN`. */
  readonly token: string | undefined;
  /** @default https://api.digitalocean.com */
  readonly endpoint?: string;
  readonly fetch: Fetch;
}

const label = "DigitalOcean";

export async function createSpacesKey(
  name: string,
  api: CredentialApi,
): Promise<{ readonly accessKey: string; readonly secretKey: string }> {
  const action = `make the key "${name}"`;
  const reply = await send(action, "POST", "/v2/spaces/keys", api, {
    name,
    grants: [{ bucket: "", permission: "fullaccess" }],
  });
  refuseStatus(label, action, reply);
  const accessKey = memberOf(reply.body, "key", "access_key");
  const secretKey = memberOf(reply.body, "key", "secret_key");
  if (typeof accessKey !== "string" || typeof secretKey !== "string") {
    throw storeError(label, action, "its answer holds no key", "Look at the keys of the account");
  }
  return { accessKey, secretKey };
}

export async function deleteSpacesKey(accessKey: string, api: CredentialApi): Promise<void> {
  const action = "delete the key";
  const reply = await send(action, "DELETE", `/v2/spaces/keys/${encodeURIComponent(accessKey)}`, api);
  if (reply.status !== 404) refuseStatus(label, action, reply);
}

function send(
  action: string,
  method: string,
  path: string,
  { token, endpoint = "https://api.digitalocean.com", fetch }: CredentialApi,
  body?: object,
): ReturnType<typeof requestJson> {
  if (token === undefined || token === "") {
    throw storeError(label, action, "DIGITALOCEAN_TOKEN is not set", "Set DIGITALOCEAN_TOKEN");
  }
  return requestJson(fetch, label, action, `${endpoint}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}
