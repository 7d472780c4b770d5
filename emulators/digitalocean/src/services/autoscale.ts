import { randomUUID } from "node:crypto";
import type { Account, Thing } from "../account.ts";
import { asText, notFound, paged, unprocessable, type DoHandler, type DoRequest, type Handlers } from "./answers.ts";
import { addDroplet, checkDroplet, removeDroplet } from "./droplets.ts";

const members = new WeakMap<Thing, Set<string>>();

export const autoscale: Handlers = {
  autoscalepools_list(request) {
    const name = request.query["name"];
    const found = request.account.pools.list().filter((pool) => name === undefined || pool["name"] === name);
    return paged(
      request,
      "autoscale_pools",
      found.map((pool) => describe(request.account, pool)),
    );
  },
  autoscalepools_create({ account, body }) {
    const problem = check(account, body);
    if (problem !== undefined) return unprocessable(problem);
    if (account.pools.all().some((pool) => pool["name"] === body["name"])) return unprocessable("name is taken");
    const id = randomUUID();
    const pool = account.pools.add(id, {
      id,
      name: body["name"]!,
      config: body["config"]!,
      droplet_template: body["droplet_template"]!,
      created_at: account.clock.iso(),
      updated_at: account.clock.iso(),
      status: "active",
      current_utilization: { memory: 0.2, cpu: 0.2 },
    });
    members.set(pool, new Set());
    fill(account, pool);
    return { status: 202, body: { autoscale_pool: describe(account, pool) } };
  },
  autoscalepools_get: on((pool, { account }) => ({ status: 200, body: { autoscale_pool: describe(account, pool) } })),
  autoscalepools_update: on((pool, { account, body }) => {
    const problem = check(account, body);
    if (problem !== undefined) return unprocessable(problem);
    Object.assign(pool, {
      name: body["name"],
      config: body["config"],
      droplet_template: body["droplet_template"],
      updated_at: account.clock.iso(),
    });
    fill(account, pool);
    return { status: 200, body: { autoscale_pool: describe(account, pool) } };
  }),
  autoscalepools_delete: on((pool, { account }) => {
    account.pools.remove(asText(pool["id"]));
    return { status: 202 };
  }),
  autoscalepools_delete_dangerous: on((pool, { account }) => {
    for (const id of members.get(pool) ?? []) removeDroplet(account, id);
    account.pools.remove(asText(pool["id"]));
    return { status: 202 };
  }),
  autoscalepools_list_members: on((pool, request) => {
    const found = memberDroplets(request.account, pool).map((droplet): Thing => ({
      droplet_id: droplet["id"]!,
      created_at: droplet["created_at"]!,
      updated_at: droplet["created_at"]!,
      health_status: "HEALTHY",
      status: droplet["status"] === "active" ? "active" : "provisioning",
    }));
    return paged(request, "droplets", found);
  }),
};

function on(act: (pool: Thing, request: DoRequest) => ReturnType<DoHandler>): DoHandler {
  return (request) => {
    const pool = request.account.pools.get(request.params["autoscale_pool_id"] ?? "");
    return pool === undefined ? notFound() : act(pool, request);
  };
}

function check(account: Account, body: Thing): string | undefined {
  const config = body["config"] as Thing;
  const isFixed = config["target_number_instances"] !== undefined;
  const hasTarget = config["target_cpu_utilization"] !== undefined || config["target_memory_utilization"] !== undefined;
  if (!isFixed && (config["min_instances"] === undefined || config["max_instances"] === undefined))
    return "min_instances and max_instances are required";
  if (!isFixed && Number(config["min_instances"]) > Number(config["max_instances"]))
    return "min_instances must not exceed max_instances";
  if (!isFixed && !hasTarget) return "a target utilization is required";
  if (isFixed && hasTarget) return "a fixed pool takes no target utilization";
  return checkDroplet(account, body["droplet_template"] as Thing);
}

/** Brings the pool to its least number of droplets. */
function fill(account: Account, pool: Thing): void {
  const config = pool["config"] as Thing;
  const wanted = Number(config["target_number_instances"] ?? config["min_instances"]);
  const ids = members.get(pool)!;
  for (const id of ids) if (account.droplets.own(id) === undefined) ids.delete(id);
  while (ids.size < wanted) {
    const droplet = addDroplet(account, `${asText(pool["name"])}-${ids.size}`, pool["droplet_template"] as Thing);
    ids.add(asText(droplet["id"]));
  }
  const limit = Number(config["target_number_instances"] ?? config["max_instances"]);
  for (const id of [...ids].slice(limit)) {
    removeDroplet(account, id);
    ids.delete(id);
  }
}

function memberDroplets(account: Account, pool: Thing): Thing[] {
  return [...(members.get(pool) ?? [])].flatMap((id) => {
    const droplet = account.droplets.own(id);
    return droplet === undefined ? [] : [droplet];
  });
}

function describe(account: Account, pool: Thing): Thing {
  return { ...pool, active_resources_count: memberDroplets(account, pool).length };
}
