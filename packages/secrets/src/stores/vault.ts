import { memberOf, refuseStatus, requestJson, type Fetch, type HttpReply } from "../http.ts";
import type { SecretStore } from "../secret-store.ts";

export interface VaultOptions {
  readonly address: string;
  readonly token: string;
  /** @default secret */
  readonly mountPath?: string;
  readonly namespace?: string;
  readonly fetch: Fetch;
}

/** Version 2 of Vault's key-value engine: one secret per path, with the value under `value`. */
export function createVaultStore({
  address,
  token,
  mountPath = "secret",
  namespace,
  fetch,
}: VaultOptions): SecretStore {
  const base = `${address.replace(/\/+$/, "")}/v1/${mountPath.replaceAll(/^\/+|\/+$/g, "")}`;
  const label = `vault at ${address}`;
  const send = (action: string, method: string, kind: string, name: string, body?: object): Promise<HttpReply> =>
    requestJson(fetch, label, action, `${base}/${kind}/${encodeURIComponent(name)}`, {
      method,
      headers: {
        "x-vault-token": token,
        ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    label,
    readable: true,
    async get(name) {
      const action = `read "${name}"`;
      const reply = await send(action, "GET", "data", name);
      if (reply.status === 404) return undefined;
      refuseStatus(label, action, reply);
      const value = memberOf(reply.body, "data", "data", "value");
      return typeof value === "string" ? value : undefined;
    },
    async set(name, value) {
      const action = `write "${name}"`;
      refuseStatus(label, action, await send(action, "POST", "data", name, { data: { value } }));
    },
    async delete(name) {
      const action = `delete "${name}"`;
      const reply = await send(action, "DELETE", "metadata", name);
      if (reply.status !== 404) refuseStatus(label, action, reply);
    },
  };
}
