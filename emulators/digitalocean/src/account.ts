import { randomBytes, randomUUID } from "node:crypto";
import {
  createCollection,
  type AccountTools,
  type Collection,
  type EmulatorClock,
  type JsonObject,
} from "@wfctl/emulator-core";
import type { BucketState } from "./spaces/bucket.ts";

/** One object of the API, in the shape in which it is answered. */
export type Thing = JsonObject;

export interface DomainState {
  readonly domain: Thing;
  readonly records: Collection<Thing>;
}

export interface AppState {
  readonly app: Thing;
  readonly deployments: Collection<Thing>;
  readonly invocations: Collection<Thing>;
}

export interface DatabaseState {
  readonly database: Thing;
  rules: Thing[];
  settings: Thing;
  evictionPolicy: string;
  sqlMode: string;
  readonly dbs: string[];
  readonly users: Thing[];
}

/** Everything that one account owns. */
export interface Account {
  readonly name: string;
  readonly uuid: string;
  readonly clock: EmulatorClock;
  readonly vpcs: Collection<Thing>;
  readonly droplets: Collection<Thing>;
  readonly volumes: Collection<Thing>;
  readonly actions: Collection<Thing>;
  readonly firewalls: Collection<Thing>;
  readonly databases: Collection<DatabaseState>;
  readonly clusters: Collection<Thing>;
  readonly loadBalancers: Collection<Thing>;
  readonly domains: Collection<DomainState>;
  readonly apps: Collection<AppState>;
  readonly registries: Collection<Thing>;
  readonly repositories: Map<string, Map<string, string[]>>;
  readonly subscription: { tier: string };
  readonly certificates: Collection<Thing>;
  readonly spacesKeys: Collection<Thing>;
  readonly buckets: Map<string, BucketState>;
  readonly tags: Collection<Thing>;
  readonly pools: Collection<Thing>;
  readonly sshKeys: Collection<Thing>;
  readonly cdnEndpoints: Collection<Thing>;
  readonly projects: Collection<Thing>;
  /** A number that this account has not used yet. */
  nextNumber(): number;
}

export function createAccount(name: string, { clock, lag }: AccountTools): Account {
  let number = 100_000 + (randomBytes(2).readUInt16BE() % 1000) * 1000;
  const collection = <Value>(): Collection<Value> => createCollection<Value>(clock, lag);
  const account: Account = {
    name,
    uuid: randomUUID(),
    clock,
    vpcs: collection(),
    droplets: collection(),
    volumes: collection(),
    actions: collection(),
    firewalls: collection(),
    databases: collection(),
    clusters: collection(),
    loadBalancers: collection(),
    domains: collection(),
    apps: collection(),
    registries: collection(),
    repositories: new Map(),
    subscription: { tier: "starter" },
    certificates: collection(),
    spacesKeys: collection(),
    buckets: new Map(),
    tags: collection(),
    pools: collection(),
    sshKeys: collection(),
    cdnEndpoints: collection(),
    projects: collection(),
    nextNumber: () => (number += 1),
  };
  const project = randomUUID();
  account.projects.add(project, {
    id: project,
    owner_uuid: account.uuid,
    owner_id: 1,
    name: "first-project",
    description: "Made with the account",
    purpose: "Just trying out DigitalOcean",
    environment: "Development",
    is_default: true,
    created_at: clock.iso(),
    updated_at: clock.iso(),
  });
  return account;
}

/** What is in the account, for tests that look behind the API. */
export function inspectAccount(account: Account): JsonObject {
  const shown: JsonObject = {};
  const put = (key: string, values: readonly unknown[]): void => {
    shown[key] = structuredClone(values) as Thing[];
  };
  put("vpcs", account.vpcs.all());
  put("droplets", account.droplets.all());
  put("volumes", account.volumes.all());
  put("firewalls", account.firewalls.all());
  put(
    "databases",
    account.databases.all().map(({ database, rules }) => ({ ...database, rules })),
  );
  put("kubernetes_clusters", account.clusters.all());
  put("load_balancers", account.loadBalancers.all());
  put(
    "domains",
    account.domains.all().map(({ domain, records }) => ({ ...domain, records: records.all() })),
  );
  put(
    "apps",
    account.apps.all().map(({ app }) => app),
  );
  put("registries", account.registries.all());
  put("certificates", account.certificates.all());
  put("spaces_keys", account.spacesKeys.all());
  put("buckets", [...account.buckets.keys()]);
  put("tags", account.tags.all());
  put("autoscale_pools", account.pools.all());
  put("ssh_keys", account.sshKeys.all());
  put("cdn_endpoints", account.cdnEndpoints.all());
  return shown;
}
