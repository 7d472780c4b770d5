import { randomBytes, randomUUID } from "node:crypto";
import type { Account, DatabaseState, Thing } from "../account.ts";
import {
  asText,
  listOf,
  noContent,
  notFound,
  textOf,
  unprocessable,
  type DoHandler,
  type DoRequest,
  type Handlers,
} from "./answers.ts";
import { regionOf } from "./catalogue.ts";
import { ensureTags } from "./tags.ts";
import { defaultVpc } from "./vpcs.ts";

const createMs = 240_000;
const changeMs = 60_000;
const ports: Readonly<Record<string, number>> = {
  pg: 25060,
  mysql: 25060,
  valkey: 25061,
  mongodb: 27017,
  kafka: 25073,
  opensearch: 25060,
};
const newest: Readonly<Record<string, string>> = {
  pg: "16",
  mysql: "8",
  valkey: "8",
  mongodb: "7",
  kafka: "3.8",
  opensearch: "2",
};
const protocols: Readonly<Record<string, string>> = {
  pg: "postgresql",
  mysql: "mysql",
  valkey: "rediss",
  mongodb: "mongodb+srv",
  kafka: "kafka",
  opensearch: "https",
};

export const databases: Handlers = {
  databases_list_clusters({ account, query }) {
    const tag = query["tag_name"];
    const found = account.databases
      .list()
      .map(({ database }) => database)
      .filter((database) => tag === undefined || listOf<unknown>(database, "tags").includes(tag));
    return { status: 200, body: { databases: found } };
  },
  databases_create_cluster({ account, body }) {
    const problem = check(account, body);
    if (problem !== undefined) return unprocessable(problem);
    const state = add(account, body);
    return { status: 201, body: { database: state.database } };
  },
  databases_get_cluster: on(({ database }) => ({ status: 200, body: { database } }), "visible"),
  databases_destroy_cluster: on(({ database }, { account }) => {
    account.databases.remove(asText(database["id"]));
    return noContent;
  }),
  databases_update_clusterSize: on((state, { account, body }) => {
    if (state.database["status"] !== "online") return unprocessable("cluster is not online");
    if (!isSize(textOf(body, "size") ?? "")) return unprocessable("invalid size");
    state.database["status"] = "resizing";
    account.clock.after(changeMs, () => {
      Object.assign(state.database, { status: "online", size: body["size"], num_nodes: body["num_nodes"] });
      if (body["storage_size_mib"] !== undefined) state.database["storage_size_mib"] = body["storage_size_mib"];
    });
    return { status: 202 };
  }),
  databases_update_region: on((state, { account, body }) => {
    const region = textOf(body, "region")!;
    if (regionOf(region) === undefined) return unprocessable("invalid region");
    state.database["status"] = "migrating";
    account.clock.after(changeMs, () => {
      Object.assign(state.database, { status: "online", region, private_network_uuid: defaultVpc(account, region) });
    });
    return { status: 202 };
  }),
  databases_update_major_version: on((state, { account, body }) => {
    const version = textOf(body, "version") ?? "";
    if (Number(version) <= Number(state.database["version"]))
      return unprocessable("version must be newer than the current one");
    state.database["status"] = "migrating";
    account.clock.after(changeMs, () => Object.assign(state.database, { status: "online", version }));
    return noContent;
  }),
  databases_update_maintenanceWindow: on((state, { body }) => {
    state.database["maintenance_window"] = windowOf(body);
    return noContent;
  }),
  databases_list_firewall_rules: on(({ rules }) => ({ status: 200, body: { rules } })),
  databases_update_firewall_rules: on((state, { account, body }) => {
    const rules = listOf<Thing>(body, "rules");
    const missing = missingTarget(account, rules);
    if (missing !== undefined) return unprocessable(missing);
    state.rules = rules.map((rule) => toRule(account, state.database, rule));
    return noContent;
  }),
  databases_get_evictionPolicy: on(({ evictionPolicy }) => ({
    status: 200,
    body: { eviction_policy: evictionPolicy },
  })),
  databases_update_evictionPolicy: on((state, { body }) => {
    if (state.database["engine"] !== "valkey") return unprocessable("eviction policies are for caching clusters");
    state.evictionPolicy = textOf(body, "eviction_policy")!;
    return noContent;
  }),
  databases_get_sql_mode: on(({ sqlMode }) => ({ status: 200, body: { sql_mode: sqlMode } })),
  databases_update_sql_mode: on((state, { body }) => {
    if (state.database["engine"] !== "mysql") return unprocessable("sql_mode is for MySQL clusters");
    state.sqlMode = textOf(body, "sql_mode")!;
    return noContent;
  }),
  databases_get_config: on(({ settings }) => ({ status: 200, body: { config: settings } })),
  databases_patch_config: on((state, { body }) => {
    Object.assign(state.settings, body["config"]);
    return { status: 200 };
  }),
  databases_get_ca: on(({ database }) => ({
    status: 200,
    body: { ca: { certificate: Buffer.from(`ca of ${asText(database["id"])}`).toString("base64") } },
  })),
  databases_list: on(({ dbs }) => ({ status: 200, body: { dbs: dbs.map((name) => ({ name })) } })),
  databases_add: on((state, { body }) => {
    const name = textOf(body, "name")!;
    if (state.dbs.includes(name)) return unprocessable("db name is not available");
    state.dbs.push(name);
    state.database["db_names"] = [...state.dbs];
    return { status: 201, body: { db: { name } } };
  }),
  databases_delete: on((state, { params }) => {
    const index = state.dbs.indexOf(params["database_name"] ?? "");
    if (index === -1) return notFound();
    state.dbs.splice(index, 1);
    state.database["db_names"] = [...state.dbs];
    return noContent;
  }),
  databases_list_users: on(({ users }) => ({ status: 200, body: { users } })),
  databases_add_user: on((state, { body }) => {
    const name = textOf(body, "name")!;
    if (state.users.some((user) => user["name"] === name)) return unprocessable("user name is not available");
    const user: Thing = { name, role: "normal", password: randomBytes(12).toString("hex") };
    state.users.push(user);
    state.database["users"] = [...state.users];
    return { status: 201, body: { user } };
  }),
  databases_delete_user: on((state, { params }) => {
    const index = state.users.findIndex((user) => user["name"] === params["username"]);
    if (index === -1) return notFound();
    state.users.splice(index, 1);
    state.database["users"] = [...state.users];
    return noContent;
  }),
};

function on(
  act: (state: DatabaseState, request: DoRequest) => ReturnType<DoHandler>,
  view: "visible" | "own" = "own",
): DoHandler {
  return (request) => {
    const id = request.params["database_cluster_uuid"] ?? "";
    const { databases: all } = request.account;
    const state = view === "visible" ? all.get(id) : all.own(id);
    return state === undefined ? notFound() : act(state, request);
  };
}

function check(account: Account, body: Thing): string | undefined {
  const engine = textOf(body, "engine")!;
  const version = textOf(body, "version");
  const vpc = textOf(body, "private_network_uuid");
  if (engine === "redis") return "Managed Caching (Redis) is no longer available; create a Valkey cluster";
  if (regionOf(textOf(body, "region")!)?.["available"] !== true) return "invalid region";
  if (!isSize(textOf(body, "size")!)) return "invalid size";
  if (version !== undefined && !/^\d+(\.\d+)?$/.test(version)) return "invalid version";
  if (Number(body["num_nodes"]) < 1 || Number(body["num_nodes"]) > 9) return "invalid number of nodes";
  if (vpc !== undefined && account.vpcs.own(vpc)?.["region"] !== body["region"]) return "invalid private network";
  if (account.databases.all().some(({ database }) => database["name"] === body["name"]))
    return "cluster name is not available";
  return missingTarget(account, listOf<Thing>(body, "rules"));
}

function isSize(slug: string): boolean {
  return /^(db|gd|so1_5|m)-[\w-]+$/.test(slug);
}

/** Rules name objects that must be there, except addresses and tags. */
function missingTarget(account: Account, rules: readonly Thing[]): string | undefined {
  const missing = rules.find((rule) => {
    const value = asText(rule["value"]);
    if (rule["type"] === "droplet") return account.droplets.own(value) === undefined;
    if (rule["type"] === "k8s") return account.clusters.own(value) === undefined;
    if (rule["type"] === "app") return account.apps.own(value) === undefined;
    return false;
  });
  return missing === undefined
    ? undefined
    : `invalid firewall rule: ${asText(missing["type"])} ${asText(missing["value"])} not found`;
}

function toRule(account: Account, database: Thing, rule: Thing): Thing {
  return {
    uuid: randomUUID(),
    cluster_uuid: database["id"]!,
    type: rule["type"]!,
    value: rule["value"]!,
    created_at: account.clock.iso(),
  };
}

function windowOf(body: Thing): Thing {
  const hour = textOf(body, "hour") ?? "00:00";
  return {
    day: textOf(body, "day") ?? "monday",
    hour: hour.length === 5 ? `${hour}:00` : hour,
    pending: false,
    description: [],
  };
}

function add(account: Account, body: Thing): DatabaseState {
  const id = randomUUID();
  const engine = textOf(body, "engine")!;
  const region = textOf(body, "region")!;
  const name = textOf(body, "name")!;
  const tags = listOf<string>(body, "tags");
  ensureTags(account, tags);
  const user = engine === "valkey" ? "default" : "doadmin";
  const password = `AVNS_${randomBytes(10).toString("hex")}`;
  const database: Thing = {
    id,
    name,
    engine,
    version: textOf(body, "version") ?? newest[engine] ?? "1",
    semantic_version: `${textOf(body, "version") ?? newest[engine] ?? "1"}.1`,
    num_nodes: body["num_nodes"]!,
    size: body["size"]!,
    region,
    status: "creating",
    created_at: account.clock.iso(),
    private_network_uuid: textOf(body, "private_network_uuid") ?? defaultVpc(account, region),
    tags,
    maintenance_window: windowOf({ day: "monday", hour: "02:00" }),
    storage_size_mib: Number(body["storage_size_mib"] ?? 10_240),
  };
  const state: DatabaseState = {
    database,
    rules: [],
    settings: {},
    evictionPolicy: "noeviction",
    sqlMode: "ANSI",
    dbs: engine === "valkey" ? [] : ["defaultdb"],
    users: [{ name: user, role: "primary", password }],
  };
  state.rules = listOf<Thing>(body, "rules").map((rule) => toRule(account, database, rule));
  account.databases.add(id, state);
  account.clock.after(createMs, () => {
    const connection = (host: string): Thing => ({
      protocol: protocols[engine]!,
      uri: `${protocols[engine]!}://${user}:${password}@${host}:${ports[engine]!}/${engine === "valkey" ? "" : "defaultdb"}?sslmode=require`,
      database: engine === "valkey" ? "" : "defaultdb",
      host,
      port: ports[engine]!,
      user,
      password,
      ssl: true,
    });
    const host = `${name}-do-user-1-0.db.ondigitalocean.com`;
    Object.assign(database, {
      status: "online",
      connection: connection(host),
      private_connection: connection(`private-${host}`),
      db_names: [...state.dbs],
      users: [...state.users],
    });
  });
  return state;
}
