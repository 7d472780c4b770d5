import type { S3Client } from "@wfctl/object-store";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import { createHttp, type Http } from "./api/http.ts";
import { defaultEndpoint, findCredentials, findEndpoints, type DigitalOceanConfig, type Endpoints } from "./config.ts";
import { isStatus } from "./errors.ts";

export interface Account {
  readonly uuid: string;
  readonly email: string;
  readonly team: string | undefined;
}

/** One configured account. */
export interface DigitalOceanClient {
  readonly config: DigitalOceanConfig;
  readonly endpoints: Endpoints;
  readonly http: Http;
  /** Who the token belongs to. Asked once. */
  account(signal: AbortSignal): Promise<Account>;
  /** Spaces in one region. Throws where no Spaces key is configured. */
  spaces(region: string): Promise<S3Client>;
  /** Address of Spaces in one region. */
  spacesEndpoint(region: string): string;
  /** Runs pieces of work under one key one after the other: for objects that are read, changed and written as a whole. */
  exclusive<Answer>(key: string, work: () => Promise<Answer>): Promise<Answer>;
}

/** Makes no call. */
export function createDigitalOceanClient(
  config: DigitalOceanConfig,
  options: { environment: NodeJS.ProcessEnv; version: string },
): DigitalOceanClient {
  const { token, spaces } = findCredentials(config, options.environment);
  if (token === undefined) {
    throw new ProviderFailure("validation", "No API token: set token, or DIGITALOCEAN_TOKEN in the environment");
  }
  const endpoints = findEndpoints(config, options.environment);
  const http = createHttp({
    endpoint: endpoints.api,
    token,
    userAgent: `wfctl-provider-digitalocean/${options.version}`,
  });
  const regions = new Map<string, Promise<S3Client>>();
  const spacesEndpoint = (region: string): string => endpoints.spaces.replaceAll("{region}", region);
  const queues = new Map<string, Promise<unknown>>();
  let asked: Promise<Account> | undefined;
  return {
    config,
    endpoints,
    http,
    account(signal) {
      asked ??= askAccount(http, signal).catch((error: unknown) => {
        asked = undefined;
        throw error;
      });
      return asked;
    },
    async spaces(region) {
      if (spaces === undefined) {
        throw new ProviderFailure(
          "validation",
          "No Spaces key: set spaces_access_key and spaces_secret_key of the provider",
        );
      }
      let made = regions.get(region);
      if (made === undefined) {
        made = import("@wfctl/object-store").then(({ createS3Client }) =>
          createS3Client({ endpoint: spacesEndpoint(region), region, credentials: spaces }),
        );
        regions.set(region, made);
      }
      return made;
    },
    spacesEndpoint,
    exclusive(key, work) {
      const turn = (queues.get(key) ?? Promise.resolve()).then(work, work);
      const ended = turn
        .catch(() => {})
        .then(() => {
          if (queues.get(key) === ended) queues.delete(key);
        });
      queues.set(key, ended);
      return turn;
    },
  };
}

/** Stable text of who answers. */
export function identityOf({ endpoints }: DigitalOceanClient, account: Account): string {
  const endpoint = endpoints.api === defaultEndpoint ? "" : endpoints.api;
  return `digitalocean:${account.uuid}:${endpoint}`;
}

async function askAccount(http: Http, signal: AbortSignal): Promise<Account> {
  type Answer = { account?: { uuid?: string; email?: string; team?: { uuid?: string; name?: string } | null } };
  const request = { method: "GET", path: "/v2/account" } as const;
  const { account = {} } = await http.send<Answer>(request, signal).catch((error: unknown): Answer => {
    // A stand-in for the API may know no accounts: then its address says who answers.
    if (isStatus(error, 404)) return {};
    throw error;
  });
  return {
    uuid: account.team?.uuid ?? account.uuid ?? "",
    email: account.email ?? "",
    team: account.team?.name,
  };
}
