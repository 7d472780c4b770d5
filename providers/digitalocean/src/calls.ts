import { ProviderFailure, type CallContext } from "@wfctl/plugin-sdk";
import type { HttpRequest } from "./api/http.ts";
import type { DigitalOceanClient } from "./client.ts";

export type Context = CallContext<DigitalOceanClient>;
type Query = HttpRequest["query"];

/** Calls that were refused for their rate are repeated; so are reads and deletes that got no answer. */
const maxAttempts = 6;
const maxLostAttempts = 4;
const firstPauseMs = 250;
const longestPauseMs = 30_000;
const pageSize = 200;

const footprints = new WeakMap<Context, { changed: boolean; readonly read: Set<string> }>();

function footprintOf(context: Context): { changed: boolean; readonly read: Set<string> } {
  let footprint = footprints.get(context);
  if (footprint === undefined) footprints.set(context, (footprint = { changed: false, read: new Set() }));
  return footprint;
}

/** The API for one call of the host: within its rate, refusals for the rate repeated. */
export interface Api {
  get<Answer>(path: string, query?: Query): Promise<Answer>;
  getText(path: string): Promise<string>;
  post<Answer>(path: string, body?: object): Promise<Answer>;
  put<Answer>(path: string, body: object): Promise<Answer>;
  patch<Answer>(path: string, body: object): Promise<Answer>;
  delete(path: string, options?: { body?: object; headers?: Readonly<Record<string, string>> }): Promise<void>;
  /** All items of a list, page by page. `key` is where a page holds them. */
  list<Item>(path: string, key: string, query?: Query): AsyncGenerator<Item, void, undefined>;
}

export function api(context: Context): Api {
  const call = <Answer>(request: HttpRequest): Promise<Answer> => send<Answer>(context, request);
  return {
    get: (path, query) => call({ method: "GET", path: `/v2/${path}`, ...(query === undefined ? {} : { query }) }),
    getText: (path) => call({ method: "GET", path: `/v2/${path}`, isText: true }),
    post: (path, body) => call({ method: "POST", path: `/v2/${path}`, ...(body === undefined ? {} : { body }) }),
    put: (path, body) => call({ method: "PUT", path: `/v2/${path}`, body }),
    patch: (path, body) => call({ method: "PATCH", path: `/v2/${path}`, body }),
    delete: (path, options = {}) => call({ method: "DELETE", path: `/v2/${path}`, ...options }),
    async *list<Item>(path: string, key: string, query: Query = {}) {
      let seen = 0;
      let last = "";
      for (let page = 1; ; page += 1) {
        const answer = await call<Record<string, unknown>>({
          method: "GET",
          path: `/v2/${path}`,
          query: { ...query, page, per_page: pageSize },
        });
        const items = (answer[key] ?? []) as Item[];
        // A page that is the one before it once more comes from a server that knows no pages.
        const first = JSON.stringify(items[0] ?? null);
        if (items.length === 0 || (page > 1 && first === last)) return;
        yield* items;
        seen += items.length;
        last = first;
        if (!hasMore(answer, seen)) return;
      }
    },
  };
}

/** By the link to a next page; without links by the total. */
function hasMore(answer: Record<string, unknown>, seen: number): boolean {
  const links = answer["links"] as { pages?: { next?: string | null } | null } | null | undefined;
  if (links?.pages !== undefined && links.pages !== null) return (links.pages.next ?? "") !== "";
  const meta = answer["meta"] as { total?: number } | null | undefined;
  return typeof meta?.total === "number" && meta.total > seen;
}

/** True once this call of the host may have changed something in the cloud. */
export function hasChanged(context: Context): boolean {
  return footprints.get(context)?.changed ?? false;
}

/** For changes that do not go through `api`, such as those of Spaces. */
export function noteChange(context: Context): void {
  footprintOf(context).changed = true;
}

/** True where this call of the host has read an object of that id. */
export function hasRead(context: Context, id: string): boolean {
  return footprintOf(context).read.has(id);
}

/** The first item that fits, or undefined. */
export async function findItem<Item>(
  items: AsyncIterable<Item>,
  fits: (item: Item) => boolean,
): Promise<Item | undefined> {
  for await (const item of items) if (fits(item)) return item;
  return undefined;
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function send<Answer>(context: Context, request: HttpRequest): Promise<Answer> {
  const { http, config } = context.client;
  const mayRepeat = request.method === "GET" || request.method === "DELETE";
  for (let attempt = 1; ; attempt += 1) {
    try {
      const work = (): Promise<Answer> => http.send<Answer>(request, context.signal);
      const answer = await (config.limit_rates ? context.limit("api", work) : work());
      if (request.method !== "GET") noteChange(context);
      // As ids stand at the end of a path.
      else footprintOf(context).read.add(decodeURIComponent(request.path.split("/").at(-1) ?? ""));
      return answer;
    } catch (error) {
      if (!(error instanceof ProviderFailure)) throw error;
      const isLost = error.class === "transient";
      // Without an answer the change may have happened.
      if (isLost && request.method !== "GET") noteChange(context);
      const limit = error.class === "rate_limited" ? maxAttempts : isLost && mayRepeat ? maxLostAttempts : 0;
      if (attempt >= limit) throw error;
      const pause = Math.min(longestPauseMs, error.retryAfterMs ?? firstPauseMs * 2 ** attempt);
      context.progress(
        `Waiting to call the API again (${error.class === "rate_limited" ? "its rate is used up" : "no answer"})`,
        { waiting: true },
      );
      await context.sleep(pause);
    }
  }
}
