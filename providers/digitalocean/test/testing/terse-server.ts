import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

type Thing = Record<string, unknown>;

/** A kind of thing of the API: where it lives, how answers name it, and what else than its body an answer must hold. */
interface Kind {
  readonly path: string;
  readonly one: string;
  readonly many: string;
  readonly id?: (body: Thing) => string | number;
  readonly more?: (id: string | number, body: Thing) => Thing;
}

const region = (body: Thing): Thing => ({ region: { slug: body["region"] } });
const kinds: readonly Kind[] = [
  { path: "vpcs", one: "vpc", many: "vpcs" },
  { path: "firewalls", one: "firewall", many: "firewalls", more: () => ({ status: "succeeded" }) },
  { path: "domains", one: "domain", many: "domains", id: (body) => body["name"] as string },
  { path: "certificates", one: "certificate", many: "certificates", more: () => ({ state: "verified" }) },
  {
    path: "load_balancers",
    one: "load_balancer",
    many: "load_balancers",
    more: (_, body) => ({ ...region(body), status: "active", ip: "198.51.100.1" }),
  },
  {
    path: "droplets",
    one: "droplet",
    many: "droplets",
    id: () => Math.trunc(Math.random() * 1e9) + 1,
    more: (_, body) => ({
      ...region(body),
      status: "active",
      size_slug: body["size"],
      image: { slug: body["image"] },
      networks: {
        v4: [
          { ip_address: "10.0.0.2", type: "private" },
          { ip_address: "203.0.113.2", type: "public" },
        ],
      },
    }),
  },
  {
    path: "volumes",
    one: "volume",
    many: "volumes",
    more: (_, body) => ({ ...region(body), size_gigabytes: body["size_gigabytes"] }),
  },
  {
    path: "databases",
    one: "database",
    many: "databases",
    more: (_, body) => ({
      status: "online",
      version: "16",
      connection: { host: "db", port: 5432, uri: `pg://${String(body["name"])}` },
    }),
  },
  {
    path: "kubernetes/clusters",
    one: "kubernetes_cluster",
    many: "kubernetes_clusters",
    more: (_, body) => ({
      version: "1.33.1-do.0",
      status: { state: "running" },
      node_pools: (body["node_pools"] as Thing[]).map((pool) => ({ ...pool, id: randomUUID() })),
    }),
  },
  {
    path: "apps",
    one: "app",
    many: "apps",
    more: () => ({ active_deployment: { id: randomUUID(), phase: "ACTIVE" } }),
  },
  { path: "registry", one: "registry", many: "registries", id: () => "" },
  {
    path: "spaces/keys",
    one: "key",
    many: "keys",
    id: () => "DO00TERSE",
    more: (id) => ({ access_key: id, secret_key: "s" }),
  },
];

export interface TerseServer {
  readonly url: string;
  /** Answers the next request of that method and path in another way. */
  next(method: string, path: string, answer: { status: number; type: string; body: string }): void;
  /** Answers the next reads of single objects as if these were not there. */
  hide(times: number): void;
  close(): Promise<void>;
}

/**
 * Another stand-in for the API than the repository's emulator, as unlike it as a client can bear: it answers what it was
 * sent and little more, names no next page, says null for an empty list, calls JSON text, has errors in plain text, no
 * rate headers, no account, one registry only, and answers a delete with 202 and a word.
 */
export async function startTerseServer(): Promise<TerseServer> {
  const stores = new Map(kinds.map((kind) => [kind.path, new Map<string, Thing>()]));
  let hidden = 0;
  const others: { method: string; path: string; answer: { status: number; type: string; body: string } }[] = [];

  const answer = (method: string, path: string, body: Thing): { status: number; type?: string; body: string } => {
    const index = others.findIndex((each) => each.method === method && path.startsWith(each.path));
    const [other] = index === -1 ? [] : others.splice(index, 1);
    if (other !== undefined) return other.answer;
    const records = /^domains\/([^/]+)\/records(?:\/(\d+))?$/.exec(path);
    if (records !== null) return answerRecords(stores.get("domains")?.get(records[1] ?? ""), method, records[2], body);
    if (/^apps\/[^/]+\/deployments$/.test(path)) return ok({ deployments: [{ id: "d", phase: "ACTIVE" }] });
    const kind = kinds.find((each) => path === each.path || path.startsWith(`${each.path}/`));
    const store = stores.get(kind?.path ?? "");
    if (kind === undefined || store === undefined) return gone;
    const id = path.slice(kind.path.length + 1);
    if (kind.path === "registry" && method === "GET") {
      const only = store.get("");
      return only === undefined || id !== "" ? gone : ok({ registry: only });
    }
    if (id === "" && method === "GET") return ok({ [kind.many]: store.size === 0 ? null : [...store.values()] });
    if (id === "" && method === "POST") {
      const made = kind.id?.(body) ?? randomUUID();
      const key = String(made);
      store.set(key, {
        ...body,
        ...(kind.id === undefined || kind.path === "droplets" ? { id: made } : {}),
        ...kind.more?.(made, body),
      });
      return ok({ [kind.one]: store.get(key) }, 202);
    }
    const found = store.get(id);
    // What it has never heard of.
    if (found === undefined && store.has(id.split("/")[0] ?? ""))
      return { status: 501, type: "text/plain", body: "no" };
    if (found === undefined) return gone;
    if (method === "GET" && hidden > 0) {
      hidden -= 1;
      return gone;
    }
    if (method === "DELETE") {
      store.delete(id);
      return { status: 202, type: "text/plain", body: "accepted" };
    }
    if (method === "GET") return ok({ [kind.one]: found });
    store.set(id, { ...found, ...body, ...(body["region"] === undefined ? {} : { region: found["region"] }) });
    return ok({ [kind.one]: store.get(id) });
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const { pathname } = new URL(request.url ?? "/", "http://localhost");
      const path = decodeURIComponent(pathname.replace(/^\/api\/v2\//, ""));
      const reply = answer(request.method ?? "", path, text === "" ? {} : (JSON.parse(text) as Thing));
      response.writeHead(reply.status, { "content-type": reply.type ?? "text/plain" });
      response.end(reply.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`,
    hide: (times) => void (hidden = times),
    next: (method, path, given) => void others.push({ method, path, answer: given }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const gone = { status: 404, type: "text/plain", body: "404 page not found" };

function ok(body: object, status = 200): { status: number; body: string } {
  return { status, body: JSON.stringify(body) };
}

function answerRecords(
  domain: Thing | undefined,
  method: string,
  id: string | undefined,
  body: Thing,
): { status: number; type?: string; body: string } {
  if (domain === undefined) return gone;
  const records = (domain["_records"] ??= []) as Thing[];
  if (id === undefined && method === "GET") return ok({ domain_records: records.length === 0 ? null : records });
  if (id === undefined) {
    records.push({ ...body, id: records.length + 1 + Math.trunc(Math.random() * 1e6) });
    return ok({ domain_record: records.at(-1) });
  }
  const index = records.findIndex((record) => String(record["id"]) === id);
  if (index === -1) return gone;
  if (method === "DELETE") records.splice(index, 1);
  else Object.assign(records[index] ?? {}, body);
  return { status: 204, body: "" };
}
