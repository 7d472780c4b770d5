import { refuseStatus, memberOf, requestJson, type Fetch, type HttpReply } from "../http.ts";
import { sealForGithub } from "../sealed-box.ts";
import type { SecretStore } from "../secret-store.ts";
import { storeError } from "../store-error.ts";

export interface GithubOptions {
  /** `owner/name`. */
  readonly repo: string;
  readonly token: string;
  /** Secrets of this environment of the repository instead of the repository's own. */
  readonly environment?: string;
  /** @default https://api.github.com */
  readonly endpoint?: string;
  readonly fetch: Fetch;
}

/** Secrets of GitHub Actions: written, never read. */
export function createGithubStore(options: GithubOptions): SecretStore {
  const { repo, environment, token, fetch } = options;
  const api = (options.endpoint ?? "https://api.github.com").replace(/\/+$/, "");
  const base =
    environment === undefined
      ? `${api}/repos/${repo}/actions/secrets`
      : `${api}/repos/${repo}/environments/${encodeURIComponent(environment)}/secrets`;
  const label = `GitHub ${repo}${environment === undefined ? "" : `, environment ${environment}`}`;
  const send = (action: string, method: string, path: string, body?: object): Promise<HttpReply> =>
    requestJson(fetch, label, action, `${base}/${path}`, {
      method,
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${token}`,
        "user-agent": "wfctl",
        "x-github-api-version": "2022-11-28",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    label,
    readable: false,
    get: (name) =>
      Promise.reject(
        storeError(label, `read "${name}"`, "secrets of GitHub cannot be read", "Keep the secret in another store"),
      ),
    async set(name, value) {
      const action = `write "${name}"`;
      const reply = await send(action, "GET", "public-key");
      refuseStatus(label, action, reply);
      const id = memberOf(reply.body, "key_id");
      const key = memberOf(reply.body, "key");
      if (typeof id !== "string" || typeof key !== "string") {
        throw storeError(label, action, "it gives no public key", "Check the name of the repository");
      }
      const sealed = sealForGithub(value, key);
      refuseStatus(label, action, await send(action, "PUT", name, { encrypted_value: sealed, key_id: id }));
    },
    async delete(name) {
      const action = `delete "${name}"`;
      const reply = await send(action, "DELETE", name);
      if (reply.status !== 404) refuseStatus(label, action, reply);
    },
  };
}
