import { asText } from "../services/answers.ts";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createFaults, type EmulatorClock, type Faults } from "@wfctl/emulator-core";
import type { Account, Thing } from "../account.ts";
import { answerSpaces, s3Error, type SpacesReply } from "./operations.ts";
import { isSigned, readCredential } from "./signature.ts";

export interface SpacesServer {
  readonly url: string;
  readonly faults: Faults;
  close(): Promise<void>;
}

export interface SpacesOptions {
  readonly accounts: () => readonly Account[];
  readonly clock: EmulatorClock;
  readonly host?: string;
  readonly port?: number;
}

/**
 * A part of S3 as Spaces offers it, with path-style addresses: buckets with ACL, versioning, CORS, lifecycle and policy;
 * objects with conditional writes. Every request must carry a signature of one of the accounts' Spaces keys.
 */
export async function startSpaces({
  accounts,
  clock,
  host = "127.0.0.1",
  port = 0,
}: SpacesOptions): Promise<SpacesServer> {
  const faults = createFaults();
  const answer = (request: IncomingMessage, body: Buffer): SpacesReply => {
    const credential = readCredential(request.headers.authorization);
    if (credential === undefined) return s3Error(403, "AccessDenied");
    const found = findKey(accounts(), credential.accessKey);
    if (found === undefined) return s3Error(403, "InvalidAccessKeyId");
    if (!isSigned(request, body, credential, asText(found.key["secret_key"])))
      return s3Error(403, "SignatureDoesNotMatch");
    const url = new URL(request.url ?? "/", "http://host");
    const [bucket = "", ...rest] = url.pathname.slice(1).split("/").map(decodeURIComponent);
    return answerSpaces({
      method: request.method ?? "GET",
      bucket,
      key: rest.join("/"),
      query: url.searchParams,
      headers: request.headers,
      body,
      region: credential.region,
      account: found.account,
      grants: found.key["grants"] as Thing[],
      clock,
      findBucket: (name) => accounts().flatMap((account) => account.buckets.get(name) ?? [])[0],
    });
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readAll(request);
    const path = (request.url ?? "/").split("?")[0]!;
    const fault = faults.take({ method: request.method ?? "GET", path, operation: undefined });
    if (fault?.effect === "drop") {
      response.destroy();
      return;
    }
    const reply = fault?.effect === "status" ? s3Error(fault.status ?? 500, "InternalError") : answer(request, body);
    if (fault?.effect === "hang") return;
    if (fault?.effect === "lose_reply") response.destroy();
    else send(response, request.method === "HEAD", reply);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (request.destroyed && !request.complete) return;
      send(response, false, s3Error(500, "InternalError", asText(error)));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host}:${address.port}`,
    faults,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function findKey(accounts: readonly Account[], accessKey: string): { account: Account; key: Thing } | undefined {
  for (const account of accounts) {
    const key = account.spacesKeys.own(accessKey);
    if (key !== undefined) return { account, key };
  }
  return undefined;
}

function send(response: ServerResponse, isHead: boolean, { status, body, headers }: SpacesReply): void {
  response.writeHead(status, { "x-amz-request-id": crypto.randomUUID(), ...headers });
  response.end(isHead ? undefined : body);
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
