import { randomUUID } from "node:crypto";
import type { Account, Thing } from "../account.ts";
import { startAction } from "./actions.ts";
import {
  asText,
  conflict,
  listOf,
  noContent,
  notFound,
  paged,
  textOf,
  unprocessable,
  type DoRequest,
  type Handlers,
} from "./answers.ts";
import { regionOf } from "./catalogue.ts";
import { ensureTags } from "./tags.ts";

const actionMs = 5000;

const regionSlug = (volume: Thing): string => asText((volume["region"] as Thing)["slug"]);

export const volumes: Handlers = {
  volumes_list(request) {
    const { name, region } = request.query;
    const found = request.account.volumes
      .list()
      .filter(
        (volume) =>
          (name === undefined || volume["name"] === name) && (region === undefined || regionSlug(volume) === region),
      );
    return paged(request, "volumes", found);
  },
  volumes_create({ account, body }) {
    const name = textOf(body, "name")!;
    const region = textOf(body, "region")!;
    const tags = listOf<string>(body, "tags");
    if (!/^[a-z][a-z0-9-]{0,63}$/.test(name)) return unprocessable("name must be lowercase and alphanumeric");
    if (account.volumes.all().some((volume) => volume["name"] === name && regionSlug(volume) === region)) {
      return conflict("a volume with that name already exists");
    }
    if (Number(body["size_gigabytes"]) > 16_384) return unprocessable("size_gigabytes must be at most 16384");
    ensureTags(account, tags);
    const id = randomUUID();
    const volume = account.volumes.add(id, {
      id,
      droplet_ids: [],
      name,
      description: textOf(body, "description") ?? "",
      size_gigabytes: body["size_gigabytes"]!,
      created_at: account.clock.iso(),
      filesystem_type: textOf(body, "filesystem_type") ?? "",
      filesystem_label: textOf(body, "filesystem_label") ?? "",
      region: regionOf(region)!,
      tags,
    });
    return { status: 201, body: { volume } };
  },
  volumes_get({ account, params }) {
    const volume = account.volumes.get(params["volume_id"] ?? "");
    return volume === undefined ? notFound() : { status: 200, body: { volume } };
  },
  volumes_delete: ({ account, params }) => remove(account, account.volumes.own(params["volume_id"] ?? "")),
  volumes_delete_byName: ({ account, query }) =>
    remove(
      account,
      account.volumes
        .all()
        .find((volume) => volume["name"] === query["name"] && regionSlug(volume) === query["region"]),
    ),
  volumeActions_list: (request) =>
    paged(
      request,
      "actions",
      request.account.actions.list().filter((action) => action["resource_type"] === "backend"),
    ),
  volumeActions_get({ account, params }) {
    const action = account.actions.get(params["action_id"] ?? "");
    return action === undefined ? notFound() : { status: 200, body: { action } };
  },
  volumeActions_post_byId: (request) => act(request, request.account.volumes.own(request.params["volume_id"] ?? "")),
  volumeActions_post: (request) =>
    act(
      request,
      request.account.volumes.all().find((volume) => volume["name"] === request.body["volume_name"]),
    ),
};

function act({ account, body }: DoRequest, volume: Thing | undefined) {
  if (volume === undefined) return notFound();
  const type = textOf(body, "type")!;
  const droplet = account.droplets.own(asText(body["droplet_id"]));
  const attached = listOf<number>(volume, "droplet_ids");
  if (type === "resize" && Number(body["size_gigabytes"]) <= Number(volume["size_gigabytes"])) {
    return unprocessable("volume size can only be increased");
  }
  if (type !== "resize" && droplet === undefined) return unprocessable("Droplet not found");
  if (type === "attach" && attached.length > 0) return unprocessable("volume is attached already");
  if (type === "detach" && !attached.includes(Number(body["droplet_id"])))
    return unprocessable("volume is not attached to that Droplet");
  if (type === "attach" && (droplet!["region"] as Thing)["slug"] !== regionSlug(volume))
    return unprocessable("volume and Droplet are in different regions");
  const given = {
    type: `${type}_volume`,
    resourceType: "backend",
    resourceId: null,
    region: regionSlug(volume),
    takesMs: actionMs,
  };
  const action = startAction(account, given, () => {
    if (type === "resize") volume["size_gigabytes"] = body["size_gigabytes"]!;
    if (type === "attach") volume["droplet_ids"] = [Number(droplet!["id"])];
    if (type === "detach") volume["droplet_ids"] = [];
    if (droplet !== undefined && type !== "resize") {
      const ids = listOf<string>(droplet, "volume_ids").filter((id) => id !== volume["id"]);
      droplet["volume_ids"] = type === "attach" ? [...ids, asText(volume["id"])] : ids;
    }
  });
  return { status: 202, body: { action } };
}

function remove(account: Account, volume: Thing | undefined) {
  if (volume === undefined) return notFound();
  if (listOf(volume, "droplet_ids").length > 0)
    return conflict("volume is attached to a Droplet and cannot be deleted");
  account.volumes.remove(asText(volume["id"]));
  return noContent;
}
