import { slicePage, type Handler, type JsonObject, type Reply, type Request } from "@wfctl/emulator-core";
import type { Account } from "../account.ts";

export type DoHandler = Handler<Account>;
export type DoRequest = Request<Account>;
export type Handlers = Readonly<Record<string, DoHandler>>;

/** An error body of the API. */
export function fail(status: number, id: string, message: string): Reply {
  return { status, body: { id, message, request_id: crypto.randomUUID() } };
}

export const notFound = (): Reply => fail(404, "not_found", "The resource you requested could not be found.");
export const unprocessable = (message: string): Reply => fail(422, "unprocessable_entity", message);
export const conflict = (message: string): Reply => fail(409, "conflict", message);
export const forbidden = (message: string): Reply => fail(403, "forbidden", message);
export const noContent: Reply = { status: 204 };

/** A list as the API pages it: `links.pages` with whole addresses, and the total. */
export function paged(request: DoRequest, key: string, items: readonly JsonObject[]): Reply {
  const page = Number(request.query["page"] ?? 1);
  const perPage = Number(request.query["per_page"] ?? 20);
  const sliced = slicePage(items, page, perPage);
  const link = (to: number): string => {
    const url = new URL(request.url);
    url.searchParams.set("page", String(to));
    return url.href;
  };
  const pages: JsonObject = {};
  if (page > 1) Object.assign(pages, { first: link(1), prev: link(page - 1) });
  if (page < sliced.pages) Object.assign(pages, { next: link(page + 1), last: link(sliced.pages) });
  const links = Object.keys(pages).length === 0 ? {} : { pages };
  return { status: 200, body: { [key]: sliced.items, links, meta: { total: items.length } } };
}

/** A member of a body or query as text. */
export function textOf(source: JsonObject, key: string): string | undefined {
  const value = source[key];
  return typeof value === "string" ? value : undefined;
}

export function listOf<Item>(source: JsonObject, key: string): Item[] {
  const value = source[key];
  return Array.isArray(value) ? (value as Item[]) : [];
}

/** A scalar as text; anything else is empty. */
export function asText(value: unknown): string {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}
