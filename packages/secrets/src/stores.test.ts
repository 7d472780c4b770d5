import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { blake2b } from "@noble/hashes/blake2.js";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { openSecretStore } from "./open-secret-store.ts";
import { boxKey } from "./sealed-box.ts";
import type { SecretStore } from "./secret-store.ts";
import { createKeychainStore } from "./stores/keychain.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wfctl-secrets-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}
type Answer = (call: Call) => { readonly status?: number; readonly body?: unknown };

/** A real server on this machine; gives its address and what it was asked. */
async function serve(answer: Answer): Promise<{ url: string; calls: Call[] }> {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const call = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body };
      calls.push(call);
      const { status = 200, body: reply } = answer(call);
      response.writeHead(status, { "content-type": "application/json" });
      response.end(reply === undefined ? "" : JSON.stringify(reply));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve(undefined))));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
}

function open(provider: string, config: Record<string, string>, env: Record<string, string> = {}): SecretStore {
  return openSecretStore(provider, config, { cwd: folder, env });
}

/** What every store that can be read must do. */
async function checkReadable(store: SecretStore): Promise<void> {
  expect(store.readable).toBe(true);
  expect(await store.get("A_KEY")).toBeUndefined();
  await store.set("A_KEY", "one\nline and “more”");
  expect(await store.get("A_KEY")).toBe("one\nline and “more”");
  await store.set("A_KEY", "two");
  expect(await store.get("A_KEY")).toBe("two");
  expect(await store.get("OTHER")).toBeUndefined();
  await store.delete("A_KEY");
  expect(await store.get("A_KEY")).toBeUndefined();
  await store.delete("A_KEY");
}

describe("file", () => {
  test("bytes that are no text are refused, and not read as other ones", async () => {
    await mkdir(join(folder, "s"), { recursive: true });
    await writeFile(join(folder, "s", "BYTES"), Buffer.from([0xff, 0xfe, 0]));
    await expect(open("file", { path: "s" }).get("BYTES")).rejects.toThrow(/read "BYTES".*it is no text in UTF-8/);
  });

  test("keeps each secret in a file of its own that others cannot read", async () => {
    await checkReadable(open("file", { path: "s" }));
    await open("file", { path: "s" }).set("X", "v");
    expect((await stat(join(folder, "s"))).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, "s/X"))).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, "s"))).toEqual(["X"]);
  });

  test("refuses names that lead elsewhere, and says what cannot be written", async () => {
    const store = open("file", { path: "s" });
    await expect(store.set("../x", "v")).rejects.toThrow('Cannot use the name "../x" in the secret store');
    await writeFile(join(folder, "taken"), "");
    await expect(open("file", { path: "taken" }).set("X", "hunter22")).rejects.toThrow(
      /Cannot write "X".*E(EXIST|NOTDIR)/,
    );
  });
});

test("env reads variables of the process, and keeps what is set to itself", async () => {
  await checkReadable(open("env", { prefix: "APP_" }, { APP_TOKEN: "t" }));
  expect(await open("env", { prefix: "APP_" }, { APP_TOKEN: "t" }).get("TOKEN")).toBe("t");
});

describe("vault", () => {
  const vault = async (): ReturnType<typeof serve> => {
    const held = new Map<string, unknown>();
    return serve(({ method, path, headers, body }) => {
      if (headers["x-vault-token"] !== "tok") return { status: 403, body: { errors: ["permission denied"] } };
      const name = path.replace(/^\/v1\/kv\/(?:data|metadata)\//, "");
      if (method === "POST") held.set(name, (JSON.parse(body) as { data: unknown }).data);
      else if (method === "DELETE") held.delete(name);
      else if (!held.has(name)) return { status: 404, body: { errors: [] } };
      return { body: { data: { data: held.get(name) } } };
    });
  };

  test("keeps secrets in the key-value engine", async () => {
    const { url, calls } = await vault();
    await checkReadable(open("vault", { address: `${url}/`, token: "tok", mount_path: "/kv/", namespace: "team" }));
    expect(calls[0]?.path).toBe("/v1/kv/data/A_KEY");
    expect(calls[0]?.headers["x-vault-namespace"]).toBe("team");
  });

  test("says that credentials are refused, and never what was sent", async () => {
    const { url } = await vault();
    const store = open("vault", { address: url, mount_path: "kv" }, { VAULT_TOKEN: "wrong-token" });
    const error = await store.set("A", "hunter2-hunter2").catch((thrown: unknown) => thrown);
    expect(String(error)).toContain(
      `Cannot write "A" in the secret store vault at ${url}: it refuses the credentials (status 403)`,
    );
    expect(JSON.stringify(error)).not.toMatch(/hunter2|wrong-token/);
  });

  test("a server that is not there is told", async () => {
    const store = open("vault", { address: "http://127.0.0.1:1", token: "t" });
    await expect(store.get("A")).rejects.toThrow(
      'Cannot read "A" in the secret store vault at http://127.0.0.1:1: it cannot be reached',
    );
  });
});

test("AWS Secrets Manager is asked with signed requests", async () => {
  const held = new Map<string, string>();
  const { url, calls } = await serve(({ headers, body }) => {
    const input = JSON.parse(body) as { SecretId?: string; Name?: string; SecretString?: string };
    const name = input.SecretId ?? input.Name ?? "";
    const operation = String(headers["x-amz-target"]).split(".")[1];
    if (operation !== "CreateSecret" && !held.has(name)) {
      return { status: 400, body: { __type: "com.amazonaws#ResourceNotFoundException" } };
    }
    if (input.SecretString !== undefined) held.set(name, input.SecretString);
    if (operation === "DeleteSecret") held.delete(name);
    return { body: { SecretString: held.get(name) } };
  });
  const config = { region: "eu-west-1", endpoint: url };
  await checkReadable(
    open("aws", config, { AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "sk", AWS_SESSION_TOKEN: "st" }),
  );
  const authorization = String(calls[0]?.headers.authorization);
  expect(authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-west-1\/secretsmanager\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=[0-9a-f]{64}$/,
  );
  expect(JSON.stringify(calls.map(({ headers }) => headers))).not.toContain('"sk"');
});

describe("GitHub", () => {
  test("the key of a box is that of the library that GitHub uses", () => {
    const shared = Buffer.from("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742", "hex");
    expect(Buffer.from(boxKey(new Uint8Array(shared))).toString("hex")).toBe(
      "1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389",
    );
  });

  test("gets secrets that only the repository can open, and gives none back", async () => {
    const pair = generateKeyPairSync("x25519");
    const raw = pair.publicKey.export({ type: "spki", format: "der" }).subarray(12);
    const { url, calls } = await serve(({ path, method }) =>
      path.endsWith("/public-key")
        ? { body: { key_id: "k1", key: raw.toString("base64") } }
        : { status: method === "DELETE" ? 404 : 201 },
    );
    const store = open("github", { repo: "o/r", environment: "prod", endpoint: url }, { GITHUB_TOKEN: "gh-token" });
    expect(store.readable).toBe(false);
    await store.set("NAME", "hunter2-grüße");
    await store.delete("NAME");
    await expect(store.get("NAME")).rejects.toThrow("secrets of GitHub cannot be read");
    const put = calls.find(({ method }) => method === "PUT");
    expect(put?.path).toBe("/repos/o/r/environments/prod/secrets/NAME");
    const { encrypted_value: sealed, key_id: id } = JSON.parse(put?.body ?? "{}") as Record<string, string>;
    expect(id).toBe("k1");
    expect(
      openBox(Buffer.from(sealed ?? "", "base64"), pair.privateKey.export({ type: "pkcs8", format: "der" }), raw),
    ).toBe("hunter2-grüße");
  });

  test("needs a token", () => {
    expect(() => open("github", { repo: "o/r", token_env: "GH" })).toThrow("GH is not set");
  });

  /** What the receiver of a sealed box does. */
  function openBox(sealed: Buffer, privateKey: Buffer, publicKey: Buffer): string {
    const sender = sealed.subarray(0, 32);
    const shared = diffieHellman({
      privateKey: createPrivateKey({ key: privateKey, type: "pkcs8", format: "der" }),
      publicKey: createPublicKey({
        key: Buffer.concat([Buffer.from("302a300506032b656e032100", "hex"), sender]),
        type: "spki",
        format: "der",
      }),
    });
    const nonce = blake2b(new Uint8Array([...sender, ...publicKey]), { dkLen: 24 });
    const opened = xsalsa20poly1305(boxKey(new Uint8Array(shared)), nonce).decrypt(new Uint8Array(sealed.subarray(32)));
    return new TextDecoder().decode(opened);
  }
});

test("a keychain is spoken to by its tool, with the value over standard input", async () => {
  const tool = join(folder, "secret-tool");
  await writeFile(
    tool,
    `#!/bin/sh
file="${folder}/chain-$(printf '%s' "$*" | sed 's/.*account //' )"
echo "$*" >> "${folder}/args"
case $1 in
  store) cat > "$file" ;;
  lookup) [ -f "$file" ] && cat "$file" ;;
  clear) rm -f "$file" ;;
esac
`,
  );
  await chmod(tool, 0o755);
  const path = process.env["PATH"];
  process.env["PATH"] = `${folder}:${path ?? ""}`;
  onTestFinished(() => {
    process.env["PATH"] = path;
  });
  const store = createKeychainStore("shop", "linux");
  await checkReadable(store);
  await store.set("B", "hunter22");
  const args = await import("node:fs/promises").then(({ readFile }) => readFile(join(folder, "args"), "utf8"));
  expect(args).not.toContain("hunter22");
  process.env["PATH"] = "/nowhere";
  await expect(store.get("B")).rejects.toThrow('"secret-tool" cannot be started');
});

test("what is missing or unknown is told before anything is sent", () => {
  expect(() => open("vault", { token: "t" })).toThrow('The secret store "vault" has no address');
  expect(() => open("valut", {})).toThrow('The secret store provider "valut" is not known');
});
