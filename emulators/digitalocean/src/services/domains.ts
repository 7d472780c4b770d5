import { createCollection } from "@wfctl/emulator-core";
import type { Account, DomainState, Thing } from "../account.ts";
import {
  asText,
  noContent,
  notFound,
  paged,
  textOf,
  unprocessable,
  type DoHandler,
  type DoRequest,
  type Handlers,
} from "./answers.ts";

const hosts = ["ns1.digitalocean.com", "ns2.digitalocean.com", "ns3.digitalocean.com"];
const namesAHost = new Set(["CNAME", "MX", "NS", "SRV"]);

export const domains: Handlers = {
  domains_list: (request) =>
    paged(
      request,
      "domains",
      request.account.domains.list().map(({ domain }) => domain),
    ),
  domains_create({ account, body }) {
    const name = textOf(body, "name") ?? "";
    if (!/^([a-z0-9-]+\.)+[a-z]{2,}$/i.test(name)) return unprocessable("name is not a valid domain name");
    if (account.domains.own(name) !== undefined) return unprocessable(`domain '${name}': name already exists`);
    const domain: Thing = { name, ttl: 1800, zone_file: null };
    const records = createCollection<Thing>(account.clock, { lagMs: 0 });
    const state: DomainState = { domain, records };
    account.domains.add(name, state);
    addRecord(account, state, { type: "SOA", name: "@", data: "1800", ttl: 1800 });
    for (const host of hosts) addRecord(account, state, { type: "NS", name: "@", data: host, ttl: 1800 });
    const address = textOf(body, "ip_address");
    if (address !== undefined && address !== "")
      addRecord(account, state, { type: "A", name: "@", data: address, ttl: 1800 });
    return { status: 201, body: { domain } };
  },
  domains_get: on(
    ({ domain, records }) => ({
      status: 200,
      body: { domain: { ...domain, zone_file: zoneFile(domain, records.all()) } },
    }),
    "visible",
  ),
  domains_delete: on(({ domain }, { account }) => {
    account.domains.remove(asText(domain["name"]));
    return noContent;
  }),
  domains_list_records: on(({ domain, records }, request) => {
    const { name, type } = request.query;
    const found = records
      .list()
      .filter((record) => type === undefined || record["type"] === type)
      .filter((record) => name === undefined || fullName(asText(record["name"]), asText(domain["name"])) === name);
    return paged(request, "domain_records", found);
  }),
  domains_create_record: on((state, { account, body }) => {
    const problem = checkRecord(state, body);
    if (problem !== undefined) return unprocessable(problem);
    return { status: 201, body: { domain_record: addRecord(account, state, body) } };
  }),
  domains_get_record: on(({ records }, { params }) => {
    const record = records.get(params["domain_record_id"] ?? "");
    return record === undefined ? notFound() : { status: 200, body: { domain_record: record } };
  }),
  domains_update_record: on(changeRecord),
  domains_patch_record: on(changeRecord),
  domains_delete_record: on(({ records }, { params }) =>
    records.remove(params["domain_record_id"] ?? "") ? noContent : notFound(),
  ),
};

function on(
  act: (state: DomainState, request: DoRequest) => ReturnType<DoHandler>,
  view: "visible" | "own" = "own",
): DoHandler {
  return (request) => {
    const name = request.params["domain_name"] ?? "";
    const { domains: all } = request.account;
    const state = view === "visible" ? all.get(name) : all.own(name);
    return state === undefined ? notFound() : act(state, request);
  };
}

function changeRecord(state: DomainState, { params, body }: DoRequest) {
  const record = state.records.own(params["domain_record_id"] ?? "");
  if (record === undefined) return notFound();
  const problem = checkRecord(state, { ...record, ...body }, record);
  if (problem !== undefined) return unprocessable(problem);
  Object.assign(record, normal(state, { ...record, ...body }));
  return { status: 200, body: { domain_record: record } };
}

function addRecord(account: Account, state: DomainState, body: Thing): Thing {
  const id = account.nextNumber();
  const record: Thing = { id, ...normal(state, body) };
  return state.records.add(asText(id), record);
}

/** Names of hosts come back without their last dot; names below the zone without the zone. */
function normal({ domain }: DomainState, body: Thing): Thing {
  const type = textOf(body, "type")!;
  const data = textOf(body, "data") ?? "";
  const name = textOf(body, "name") ?? "@";
  return {
    type,
    name: name === "@" ? "@" : relativeName(name.replace(/\.$/, ""), asText(domain["name"])),
    data: namesAHost.has(type) && data !== "@" ? data.replace(/\.$/, "") : data,
    ttl: body["ttl"] ?? 1800,
    priority: body["priority"] ?? null,
    port: body["port"] ?? null,
    weight: body["weight"] ?? null,
    flags: body["flags"] ?? null,
    tag: body["tag"] ?? null,
  };
}

function checkRecord({ domain, records }: DomainState, body: Thing, self?: Thing): string | undefined {
  const type = textOf(body, "type")!;
  const name = textOf(body, "name") ?? "@";
  const data = textOf(body, "data") ?? "";
  if (type === "A" && !/^\d{1,3}(\.\d{1,3}){3}$/.test(data)) return "Data needs to be a valid IPv4 address";
  if (type === "AAAA" && !data.includes(":")) return "Data needs to be a valid IPv6 address";
  if (namesAHost.has(type) && data !== "@" && !data.endsWith(".") && !self) return "Data needs to end with a dot (.)";
  if (Number(body["ttl"] ?? 1800) < 30) return "Ttl must be greater than or equal to 30";
  if (type === "CNAME" && name === "@") return "CNAME records cannot be created at the apex";
  const short = name === "@" ? "@" : relativeName(name, asText(domain["name"]));
  const others = records.all().filter((record) => record !== self && record["name"] === short);
  if (type === "CNAME" && others.length > 0) return "CNAME records cannot share a name with other records";
  if (type !== "CNAME" && others.some((record) => record["type"] === "CNAME"))
    return "CNAME records cannot share a name with other records";
  return undefined;
}

function relativeName(name: string, domain: string): string {
  return name.endsWith(`.${domain}`) ? name.slice(0, -domain.length - 1) : name === domain ? "@" : name;
}

function fullName(name: string, domain: string): string {
  return name === "@" ? domain : `${name}.${domain}`;
}

function zoneFile(domain: Thing, records: readonly Thing[]): string {
  const lines = records.map(
    (record) =>
      `${fullName(asText(record["name"]), asText(domain["name"]))}. IN ${asText(record["ttl"])} ${asText(record["type"])} ${asText(record["data"])}`,
  );
  return `$ORIGIN ${asText(domain["name"])}.\n$TTL ${asText(domain["ttl"])}\n${lines.join("\n")}\n`;
}
