import type { Account, Thing } from "../account.ts";
import { asText, listOf, noContent, notFound, paged, textOf, type Handlers } from "./answers.ts";

/** Tags exist by themselves; naming one on an object makes it. */
export function ensureTags(account: Account, names: readonly string[]): void {
  for (const name of names) {
    if (account.tags.own(name) === undefined) account.tags.add(name, { name });
  }
}

export const tags: Handlers = {
  tags_list: (request) =>
    paged(
      request,
      "tags",
      request.account.tags.list().map((tag) => describe(request.account, tag)),
    ),
  tags_create({ account, body }) {
    const name = textOf(body, "name") ?? "";
    ensureTags(account, [name]);
    return { status: 201, body: { tag: describe(account, { name }) } };
  },
  tags_get({ account, params }) {
    const tag = account.tags.get(params["tag_id"] ?? "");
    return tag === undefined ? notFound() : { status: 200, body: { tag: describe(account, tag) } };
  },
  tags_delete({ account, params }) {
    const name = params["tag_id"] ?? "";
    if (!account.tags.remove(name)) return notFound();
    for (const thing of taggable(account)) thing["tags"] = tagsOf(thing).filter((tag) => tag !== name);
    return noContent;
  },
  tags_assign_resources: ({ account, params, body }) =>
    change(account, params["tag_id"] ?? "", body, (tags, name) => [...new Set([...tags, name])]),
  tags_unassign_resources: ({ account, params, body }) =>
    change(account, params["tag_id"] ?? "", body, (tags, name) => tags.filter((tag) => tag !== name)),
};

function change(account: Account, name: string, body: Thing, apply: (tags: string[], name: string) => string[]) {
  if (account.tags.own(name) === undefined) return notFound();
  const targets = listOf<Thing>(body, "resources").map((resource) => find(account, resource));
  if (targets.some((target) => target === undefined)) return notFound();
  for (const target of targets) target!["tags"] = apply(tagsOf(target!), name);
  return noContent;
}

function find(account: Account, resource: Thing): Thing | undefined {
  const id = textOf(resource, "resource_id") ?? "";
  switch (textOf(resource, "resource_type")) {
    case "droplet":
      return account.droplets.own(id);
    case "volume":
      return account.volumes.own(id);
    case "database":
      return account.databases.own(id)?.database;
    default:
      return undefined;
  }
}

function taggable(account: Account): Thing[] {
  return [
    ...account.droplets.all(),
    ...account.volumes.all(),
    ...account.databases.all().map(({ database }) => database),
  ];
}

function tagsOf(thing: Thing): string[] {
  return listOf<string>(thing, "tags");
}

function describe(account: Account, tag: Thing): Thing {
  const count = (things: readonly Thing[]): Thing => ({
    count: things.filter((thing) => tagsOf(thing).includes(asText(tag["name"]))).length,
  });
  const droplets = count(account.droplets.list());
  const volumes = count(account.volumes.list());
  const databases = count(account.databases.list().map(({ database }) => database));
  const total = [droplets, volumes, databases].reduce((sum, each) => sum + Number(each["count"]), 0);
  return {
    name: tag["name"]!,
    resources: { count: total, droplets, volumes, databases, imgages: { count: 0 }, volume_snapshots: { count: 0 } },
  };
}
