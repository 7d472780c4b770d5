import { randomBytes } from "node:crypto";
import type { Account, Thing } from "../account.ts";
import { fail, listOf, noContent, notFound, paged, textOf, type Handlers } from "./answers.ts";

export const spacesKeys: Handlers = {
  spacesKey_list(request) {
    const { name, bucket, permission } = request.query;
    const fits = (key: Thing): boolean =>
      (name === undefined || key["name"] === name) &&
      (bucket === undefined || listOf<Thing>(key, "grants").some((grant) => grant["bucket"] === bucket)) &&
      (permission === undefined || listOf<Thing>(key, "grants").some((grant) => grant["permission"] === permission));
    return paged(request, "keys", request.account.spacesKeys.list().filter(fits).map(withoutSecret));
  },
  spacesKey_create({ account, body }) {
    const problem = check(body);
    if (problem !== undefined) return fail(400, "bad_request", problem);
    return { status: 201, body: { key: addKey(account, textOf(body, "name")!, listOf<Thing>(body, "grants")) } };
  },
  spacesKey_get({ account, params }) {
    const key = account.spacesKeys.get(params["access_key"] ?? "");
    return key === undefined ? notFound() : { status: 200, body: { key: withoutSecret(key) } };
  },
  spacesKey_update({ account, params, body }) {
    const key = account.spacesKeys.own(params["access_key"] ?? "");
    if (key === undefined) return notFound();
    const problem = check(body);
    if (problem !== undefined) return fail(400, "bad_request", problem);
    key["name"] = textOf(body, "name") ?? key["name"]!;
    if (Array.isArray(body["grants"])) key["grants"] = body["grants"];
    return { status: 200, body: { key: withoutSecret(key) } };
  },
  spacesKey_delete: ({ account, params }) =>
    account.spacesKeys.remove(params["access_key"] ?? "") ? noContent : notFound(),
};

/** A key and its secret, which the API tells once. */
function addKey(account: Account, name: string, grants: readonly Thing[]): Thing {
  const id = `DO801${randomBytes(8).toString("hex").toUpperCase().slice(0, 15)}`;
  return account.spacesKeys.add(id, {
    name,
    access_key: id,
    secret_key: randomBytes(32).toString("base64url"),
    grants: [...grants],
    created_at: account.clock.iso(),
  });
}

function check(body: Thing): string | undefined {
  if ((textOf(body, "name") ?? "") === "") return "name is required";
  const grants = listOf<Thing>(body, "grants");
  const hasAll = grants.some((grant) => grant["permission"] === "fullaccess");
  if (hasAll && grants.length > 1) return "fullaccess cannot be combined with other grants";
  if (grants.some((grant) => grant["permission"] !== "fullaccess" && grant["bucket"] === ""))
    return "a grant needs a bucket";
  return undefined;
}

function withoutSecret({ secret_key: _, ...key }: Thing): Thing {
  return key;
}
