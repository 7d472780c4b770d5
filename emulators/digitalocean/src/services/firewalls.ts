import { randomUUID } from "node:crypto";
import type { Account, Thing } from "../account.ts";
import {
  asText,
  conflict,
  listOf,
  noContent,
  notFound,
  paged,
  textOf,
  unprocessable,
  type Handlers,
} from "./answers.ts";
import { ensureTags } from "./tags.ts";

const rolloutMs = 10_000;

export const firewalls: Handlers = {
  firewalls_list: (request) => paged(request, "firewalls", request.account.firewalls.list()),
  firewalls_create({ account, body }) {
    const problem = check(account, body);
    if (problem !== undefined) return unprocessable(problem);
    if (account.firewalls.all().some((firewall) => firewall["name"] === body["name"]))
      return conflict("duplicate name");
    const id = randomUUID();
    const firewall = account.firewalls.add(id, { id, created_at: account.clock.iso(), ...shape(account, body) });
    rollOut(account, firewall);
    return { status: 202, body: { firewall } };
  },
  firewalls_get({ account, params }) {
    const firewall = account.firewalls.get(params["firewall_id"] ?? "");
    return firewall === undefined ? notFound() : { status: 200, body: { firewall } };
  },
  firewalls_update({ account, params, body }) {
    const firewall = account.firewalls.own(params["firewall_id"] ?? "");
    if (firewall === undefined) return notFound();
    const problem = check(account, body);
    if (problem !== undefined) return unprocessable(problem);
    Object.assign(firewall, shape(account, body));
    rollOut(account, firewall);
    return { status: 200, body: { firewall } };
  },
  firewalls_delete: ({ account, params }) =>
    account.firewalls.remove(params["firewall_id"] ?? "") ? noContent : notFound(),
};

function check(account: Account, body: Thing): string | undefined {
  const ids = listOf<number>(body, "droplet_ids");
  const tags = listOf<string>(body, "tags");
  if (ids.length > 10) return "a firewall takes at most 10 Droplets";
  if (tags.length > 5) return "a firewall takes at most 5 tags";
  const missing = ids.find((id) => account.droplets.own(asText(id)) === undefined);
  if (missing !== undefined) return `droplet ${missing} not found`;
  if (listOf(body, "inbound_rules").length + listOf(body, "outbound_rules").length > 50)
    return "a firewall takes at most 50 rules";
  const open = [...listOf<Thing>(body, "inbound_rules"), ...listOf<Thing>(body, "outbound_rules")].find((rule) => {
    const side = (rule["sources"] ?? rule["destinations"]) as Thing | undefined;
    return side === undefined || Object.values(side).every((list) => Array.isArray(list) && list.length === 0);
  });
  return open === undefined ? undefined : "every rule needs a source or a destination";
}

function shape(account: Account, body: Thing): Thing {
  const tags = listOf<string>(body, "tags");
  ensureTags(account, tags);
  // The API answers every port as "0", and ICMP has none.
  const rule = (given: Thing): Thing => {
    const ports = textOf(given, "ports") ?? "0";
    return { ...given, ports: ports === "all" || given["protocol"] === "icmp" ? "0" : ports };
  };
  return {
    name: body["name"]!,
    status: "waiting",
    pending_changes: [],
    droplet_ids: listOf<number>(body, "droplet_ids"),
    tags,
    inbound_rules: listOf<Thing>(body, "inbound_rules").map(rule),
    outbound_rules: listOf<Thing>(body, "outbound_rules").map(rule),
  };
}

function rollOut(account: Account, firewall: Thing): void {
  account.clock.after(rolloutMs, () => {
    firewall["status"] = "succeeded";
  });
}
