import { createHash, createHmac } from "node:crypto";
import { memberOf, refuseStatus, requestJson, type Fetch, type HttpReply } from "../http.ts";
import type { SecretStore } from "../secret-store.ts";

export interface AwsSecretsOptions {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** @default that of the region */
  readonly endpoint?: string;
  readonly fetch: Fetch;
  readonly nowMs: () => number;
}

const service = "secretsmanager";

/** AWS Secrets Manager. Deleting is at once, without the recovery window: the name can be used again. */
export function createAwsStore(options: AwsSecretsOptions): SecretStore {
  const { region, fetch } = options;
  const endpoint = options.endpoint ?? `https://${service}.${region}.amazonaws.com`;
  const label = `AWS Secrets Manager in ${region}`;
  const call = (action: string, operation: string, input: object): Promise<HttpReply> => {
    const body = JSON.stringify(input);
    const headers = sign(new URL(endpoint), `${service}.${operation}`, body, options);
    return requestJson(fetch, label, action, endpoint, { method: "POST", headers, body });
  };
  const isError = (reply: HttpReply, name: string): boolean => {
    const type = memberOf(reply.body, "__type");
    return reply.status === 400 && typeof type === "string" && type.split("#").at(-1) === name;
  };
  return {
    label,
    readable: true,
    async get(name) {
      const action = `read "${name}"`;
      const reply = await call(action, "GetSecretValue", { SecretId: name });
      if (isError(reply, "ResourceNotFoundException")) return undefined;
      refuseStatus(label, action, reply);
      const value = memberOf(reply.body, "SecretString");
      return typeof value === "string" ? value : undefined;
    },
    async set(name, value) {
      const action = `write "${name}"`;
      const reply = await call(action, "PutSecretValue", { SecretId: name, SecretString: value });
      if (!isError(reply, "ResourceNotFoundException")) {
        refuseStatus(label, action, reply);
        return;
      }
      refuseStatus(label, action, await call(action, "CreateSecret", { Name: name, SecretString: value }));
    },
    async delete(name) {
      const action = `delete "${name}"`;
      const reply = await call(action, "DeleteSecret", { SecretId: name, ForceDeleteWithoutRecovery: true });
      if (!isError(reply, "ResourceNotFoundException")) refuseStatus(label, action, reply);
    },
  };
}

/** Signature Version 4 of a POST with a JSON body. */
function sign(url: URL, target: string, body: string, options: AwsSecretsOptions): Record<string, string> {
  const time = new Date(options.nowMs()).toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const date = time.slice(0, 8);
  const headers: Record<string, string> = {
    "content-type": "application/x-amz-json-1.1",
    host: url.host,
    "x-amz-date": time,
    ...(options.sessionToken === undefined ? {} : { "x-amz-security-token": options.sessionToken }),
    "x-amz-target": target,
  };
  const names = Object.keys(headers).toSorted();
  const canonical = [
    "POST",
    url.pathname,
    "",
    ...names.map((name) => `${name}:${headers[name] as string}`),
    "",
    names.join(";"),
    sha256(body),
  ].join("\n");
  const scope = `${date}/${options.region}/${service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const key = [date, options.region, service, "aws4_request"].reduce<string | Buffer>(
    hmac,
    `AWS4${options.secretAccessKey}`,
  );
  const signature = hmac(key, text).toString("hex");
  const { host: _, ...sent } = headers;
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${options.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
