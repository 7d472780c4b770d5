import type { Account, Thing } from "../account.ts";
import { startAction } from "./actions.ts";
import { asText, listOf, noContent, notFound, paged, textOf, unprocessable, type Handlers } from "./answers.ts";
import { regionOf, sizeOf } from "./catalogue.ts";
import { ensureTags } from "./tags.ts";
import { defaultVpc } from "./vpcs.ts";

const startMs = 30_000;
const actionMs = 15_000;

/** Makes a droplet that becomes active after a while. The request is checked already. */
export function addDroplet(account: Account, name: string, body: Thing): Thing {
  const id = account.nextNumber();
  const region = textOf(body, "region") ?? "nyc3";
  const size = sizeOf(textOf(body, "size")!)!;
  const features = ["monitoring", "ipv6"].filter((feature) => body[feature] === true);
  if (body["backups"] === true) features.push("backups");
  if (body["with_droplet_agent"] !== false) features.push("droplet_agent");
  features.push("private_networking");
  const tags = listOf<string>(body, "tags");
  ensureTags(account, tags);
  const droplet: Thing = {
    id,
    name,
    memory: size["memory"]!,
    vcpus: size["vcpus"]!,
    disk: size["disk"]!,
    locked: false,
    status: "new",
    created_at: account.clock.iso(),
    features,
    backup_ids: [],
    next_backup_window: backupWindow(account, body["backups"] === true) as Thing,
    snapshot_ids: [],
    image: imageOf(body["image"], region),
    volume_ids: listOf<string>(body, "volumes"),
    size,
    size_slug: size["slug"]!,
    networks: { v4: [], v6: [] },
    region: regionOf(region)!,
    tags,
    vpc_uuid: textOf(body, "vpc_uuid") ?? defaultVpc(account, region),
  };
  account.droplets.add(asText(id), droplet);
  for (const volume of listOf<string>(body, "volumes")) account.volumes.own(volume)!["droplet_ids"] = [id];
  account.clock.after(startMs, () => {
    droplet["status"] = "active";
    droplet["networks"] = networksOf(id, features.includes("ipv6"), body["public_networking"] !== false);
  });
  return droplet;
}

export function checkDroplet(account: Account, body: Thing): string | undefined {
  const region = textOf(body, "region") ?? "nyc3";
  if (regionOf(region)?.["available"] !== true) return "Region is not available";
  if (sizeOf(textOf(body, "size") ?? "") === undefined) return "You specified an invalid size for Droplet creation.";
  const vpc = textOf(body, "vpc_uuid");
  if (vpc !== undefined && account.vpcs.own(vpc)?.["region"] !== region) return "Failed to resolve VPC";
  for (const id of listOf<string>(body, "volumes")) {
    const volume = account.volumes.own(id);
    if (volume === undefined) return `Failed to find volume ${id}`;
    if ((volume["region"] as Thing)["slug"] !== region) return "Volume is in another region";
    if (listOf(volume, "droplet_ids").length > 0) return "Volume is attached to another Droplet";
  }
  const keys = listOf<string | number>(body, "ssh_keys").map(asText);
  const known = account.sshKeys.all().flatMap((key) => [asText(key["id"]), asText(key["fingerprint"])]);
  const missing = keys.find((key) => !known.includes(key));
  return missing === undefined ? undefined : `${missing} are invalid key identifiers for Droplet creation.`;
}

export const droplets: Handlers = {
  droplets_list(request) {
    const { tag_name: tag, name } = request.query;
    const found = request.account.droplets
      .list()
      .filter((droplet) => tag === undefined || listOf<unknown>(droplet, "tags").includes(tag))
      .filter((droplet) => name === undefined || droplet["name"] === name);
    return paged(request, "droplets", found);
  },
  droplets_create({ account, body, url }) {
    const problem = checkDroplet(account, body);
    if (problem !== undefined) return unprocessable(problem);
    const names = listOf<string>(body, "names");
    const made = (names.length > 0 ? names : [textOf(body, "name")!]).map((name) => addDroplet(account, name, body));
    const action = account.nextNumber();
    const links = { actions: [{ id: action, rel: "create", href: `${url.origin}/v2/actions/${action}` }] };
    return { status: 202, body: names.length > 0 ? { droplets: made, links } : { droplet: made[0]!, links } };
  },
  droplets_get({ account, params }) {
    const droplet = account.droplets.get(params["droplet_id"] ?? "");
    return droplet === undefined ? notFound() : { status: 200, body: { droplet } };
  },
  droplets_destroy({ account, params }) {
    return removeDroplet(account, params["droplet_id"] ?? "") ? noContent : notFound();
  },
  droplets_destroy_byTag({ account, query }) {
    for (const droplet of account.droplets.all()) {
      if (listOf<unknown>(droplet, "tags").includes(query["tag_name"])) removeDroplet(account, asText(droplet["id"]));
    }
    return noContent;
  },
  dropletActions_list(request) {
    const id = Number(request.params["droplet_id"]);
    return paged(
      request,
      "actions",
      request.account.actions.list().filter((action) => action["resource_id"] === id),
    );
  },
  dropletActions_get({ account, params }) {
    const action = account.actions.get(params["action_id"] ?? "");
    return action === undefined ? notFound() : { status: 200, body: { action } };
  },
  dropletActions_post({ account, params, body }) {
    const droplet = account.droplets.own(params["droplet_id"] ?? "");
    if (droplet === undefined) return notFound();
    const type = textOf(body, "type")!;
    const problem = checkAction(droplet, type, body);
    if (problem !== undefined) return unprocessable(problem);
    const given = {
      type,
      resourceType: "droplet",
      resourceId: Number(droplet["id"]),
      region: asText((droplet["region"] as Thing)["slug"]),
      takesMs: actionMs,
    };
    droplet["locked"] = true;
    const action = startAction(account, given, () => {
      droplet["locked"] = false;
      applyAction(account, droplet, type, body);
    });
    return { status: 201, body: { action } };
  },
};

export function removeDroplet(account: Account, id: string): boolean {
  if (!account.droplets.remove(id)) return false;
  for (const volume of account.volumes.all()) {
    volume["droplet_ids"] = listOf<number>(volume, "droplet_ids").filter((each) => asText(each) !== id);
  }
  for (const firewall of account.firewalls.all()) {
    firewall["droplet_ids"] = listOf<number>(firewall, "droplet_ids").filter((each) => asText(each) !== id);
  }
  return true;
}

function checkAction(droplet: Thing, type: string, body: Thing): string | undefined {
  if (droplet["locked"] === true) return "Droplet already has a pending event.";
  if (type === "resize") {
    const size = sizeOf(textOf(body, "size") ?? "");
    if (size === undefined) return "size is invalid";
    if (droplet["status"] === "active") return "This size is not available while the Droplet is powered on.";
    if (Number(size["disk"]) < Number(droplet["disk"]))
      return "This size is not available because it has a smaller disk.";
  }
  return undefined;
}

function applyAction(account: Account, droplet: Thing, type: string, body: Thing): void {
  const features = new Set(listOf<string>(droplet, "features"));
  switch (type) {
    case "power_off":
    case "shutdown":
      droplet["status"] = "off";
      break;
    case "power_on":
    case "power_cycle":
    case "reboot":
      droplet["status"] = "active";
      break;
    case "rename":
      droplet["name"] = textOf(body, "name")!;
      break;
    case "resize": {
      const size = sizeOf(textOf(body, "size")!)!;
      Object.assign(droplet, { size, size_slug: size["slug"], memory: size["memory"], vcpus: size["vcpus"] });
      if (body["disk"] === true) droplet["disk"] = size["disk"]!;
      break;
    }
    case "enable_backups":
      features.add("backups");
      break;
    case "disable_backups":
      features.delete("backups");
      break;
    case "enable_ipv6":
      features.add("ipv6");
      droplet["networks"] = networksOf(Number(droplet["id"]), true, true);
      break;
    case "rebuild":
      droplet["image"] = imageOf(body["image"], asText((droplet["region"] as Thing)["slug"]));
      break;
  }
  droplet["features"] = [...features];
  droplet["next_backup_window"] = backupWindow(account, features.has("backups"));
}

function backupWindow(account: Account, hasBackups: boolean): Thing {
  const start = hasBackups ? account.clock.now() + 86_400_000 : account.clock.now();
  return { start: new Date(start).toISOString(), end: new Date(start + 82_800_000).toISOString() };
}

function networksOf(id: number, hasIpv6: boolean, isPublic: boolean): Thing {
  const [high, low] = [Math.floor(id / 250) % 250, (id % 250) + 2];
  const outside = {
    ip_address: `203.0.${high}.${low}`,
    netmask: "255.255.240.0",
    gateway: `203.0.${high}.1`,
    type: "public",
  };
  return {
    v4: [
      { ip_address: `10.${high}.0.${low}`, netmask: "255.255.240.0", gateway: `10.${high}.0.1`, type: "private" },
      ...(isPublic ? [outside] : []),
    ],
    v6: hasIpv6
      ? [{ ip_address: `2001:db8::${id.toString(16)}`, netmask: 64, gateway: "2001:db8::1", type: "public" }]
      : [],
  };
}

function imageOf(image: unknown, region: string): Thing {
  const slug = typeof image === "string" ? image : null;
  return {
    id: typeof image === "number" ? image : 1000,
    name: slug ?? "custom",
    type: slug === null ? "custom" : "base",
    distribution: "Ubuntu",
    slug,
    public: slug !== null,
    regions: [region],
    created_at: "2024-04-25T00:00:00Z",
    min_disk_size: 7,
    size_gigabytes: 2.4,
    description: "",
    tags: [],
    status: "available",
  };
}
