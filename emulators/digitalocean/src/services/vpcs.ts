import { randomUUID } from "node:crypto";
import type { Account, Thing } from "../account.ts";
import {
  asText,
  conflict,
  forbidden,
  noContent,
  notFound,
  paged,
  textOf,
  unprocessable,
  type Handlers,
} from "./answers.ts";
import { regionOf } from "./catalogue.ts";

/** The region's default network, made when the first object needs it. */
export function defaultVpc(account: Account, region: string): string {
  const found = account.vpcs.all().find((vpc) => vpc["default"] === true && vpc["region"] === region);
  return asText((found ?? addVpc(account, { name: `default-${region}`, region, isDefault: true }))["id"]);
}

function addVpc(
  account: Account,
  given: { name: string; region: string; range?: string; description?: string; isDefault: boolean },
): Thing {
  const id = randomUUID();
  return account.vpcs.add(id, {
    id,
    urn: `do:vpc:${id}`,
    name: given.name,
    description: given.description ?? "",
    region: given.region,
    ip_range: given.range ?? freeRange(account),
    default: given.isDefault,
    created_at: account.clock.iso(),
  });
}

export const vpcs: Handlers = {
  vpcs_list: (request) => paged(request, "vpcs", request.account.vpcs.list()),
  vpcs_create({ account, body }) {
    const name = textOf(body, "name")!;
    const region = textOf(body, "region")!;
    const range = textOf(body, "ip_range");
    if (regionOf(region) === undefined) return unprocessable("region is invalid");
    if (account.vpcs.all().some((vpc) => vpc["name"] === name)) return conflict("name already exists");
    if (range !== undefined) {
      const problem = checkRange(account, range);
      if (problem !== undefined) return unprocessable(problem);
    }
    const description = textOf(body, "description");
    const vpc = addVpc(account, {
      name,
      region,
      isDefault: false,
      ...(range === undefined ? {} : { range }),
      ...(description === undefined ? {} : { description }),
    });
    return { status: 201, body: { vpc } };
  },
  vpcs_get({ account, params }) {
    const vpc = account.vpcs.get(params["vpc_id"] ?? "");
    return vpc === undefined ? notFound() : { status: 200, body: { vpc } };
  },
  vpcs_update: ({ account, params, body }) => change(account, params["vpc_id"] ?? "", { description: "", ...body }),
  vpcs_patch: ({ account, params, body }) => change(account, params["vpc_id"] ?? "", body),
  vpcs_delete({ account, params }) {
    const id = params["vpc_id"] ?? "";
    const vpc = account.vpcs.own(id);
    if (vpc === undefined) return notFound();
    if (vpc["default"] === true) return forbidden("Can not delete default VPCs.");
    if (members(account, id).length > 0) return forbidden("Can not delete VPC with members.");
    account.vpcs.remove(id);
    return noContent;
  },
  vpcs_list_members(request) {
    const id = request.params["vpc_id"] ?? "";
    if (request.account.vpcs.get(id) === undefined) return notFound();
    return paged(request, "members", members(request.account, id));
  },
};

function change(account: Account, id: string, body: Thing) {
  const vpc = account.vpcs.own(id);
  if (vpc === undefined) return notFound();
  const name = textOf(body, "name") ?? asText(vpc["name"]);
  if (account.vpcs.all().some((other) => other !== vpc && other["name"] === name))
    return conflict("name already exists");
  vpc["name"] = name;
  if (body["description"] !== undefined) vpc["description"] = body["description"];
  if (body["default"] === true) {
    for (const other of account.vpcs.all()) if (other["region"] === vpc["region"]) other["default"] = other === vpc;
  }
  return { status: 200, body: { vpc } };
}

function members(account: Account, id: string): Thing[] {
  const make = (kind: string, things: readonly Thing[], key: string): Thing[] =>
    things
      .filter((thing) => thing[key] === id)
      .map((thing) => ({
        urn: `do:${kind}:${asText(thing["id"])}`,
        name: thing["name"]!,
        created_at: thing["created_at"]!,
      }));
  return [
    ...make("droplet", account.droplets.all(), "vpc_uuid"),
    ...make(
      "dbaas",
      account.databases.all().map(({ database }) => database),
      "private_network_uuid",
    ),
    ...make("loadbalancer", account.loadBalancers.all(), "vpc_uuid"),
    ...make("kubernetes", account.clusters.all(), "vpc_uuid"),
  ];
}

function freeRange(account: Account): string {
  for (let block = 0; block < 156 * 16; block += 1) {
    const range = `10.${100 + Math.floor(block / 16)}.${(block % 16) * 16}.0/20`;
    if (checkRange(account, range) === undefined) return range;
  }
  throw new Error("The emulator has no free network left");
}

function checkRange(account: Account, range: string): string | undefined {
  const wanted = parseRange(range);
  if (wanted === undefined) return "ip_range is not a valid network in CIDR notation";
  if (wanted.bits < 16 || wanted.bits > 28) return "ip_range must be between /28 and /16";
  const first = wanted.start >>> 24;
  const second = (wanted.start >>> 16) & 255;
  const isPrivate = first === 10 || (first === 172 && second >= 16 && second < 32) || (first === 192 && second === 168);
  if (!isPrivate) return "ip_range must be in a private network";
  const overlaps = account.vpcs.all().some((vpc) => {
    const other = parseRange(asText(vpc["ip_range"]));
    return other !== undefined && wanted.start <= other.end && other.start <= wanted.end;
  });
  return overlaps ? "This range/size overlaps with another VPC network in your account." : undefined;
}

function parseRange(range: string): { start: number; end: number; bits: number } | undefined {
  const found = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(range);
  if (found === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = found.slice(1).map(Number);
  if ([a, b, c, d].some((part) => part > 255) || bits > 32) return undefined;
  const address = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  const size = 2 ** (32 - bits);
  const start = Math.floor(address / size) * size;
  return { start, end: start + size - 1, bits };
}
