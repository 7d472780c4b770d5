import { ProviderFailure } from "@wfctl/plugin-sdk";
import { api, collect, type Context } from "../calls.ts";
import { isStatus } from "../errors.ts";
import { isUuid } from "../naming.ts";
import { applyChanges, removeUnusedMarks } from "../tagging.ts";
import { markPrefix } from "../tags.ts";
import type { TrustedSource } from "./schema.ts";

/** One rule as the API has it. */
export interface Rule {
  readonly uuid?: string;
  readonly type: TrustedSource["type"];
  readonly value: string;
}

/** Things that trusted sources can name. */
export interface Named {
  readonly id: string;
  readonly name: string;
}

/**
 * On a cluster, a tag for each trusted source whose name nothing had when it was applied. It lasts until the finalizer
 * has found the thing, so that a kill or a restart of the plugin in between loses nothing.
 */
const pendingPrefix = `${markPrefix}pending-source:`;
/** On every cluster that has such tags, so that they are found with one call. */
export const pendingTag = `${markPrefix}pending-sources`;

export function pendingSources(tags: readonly string[]): TrustedSource[] {
  return tags
    .filter((tag) => tag.startsWith(pendingPrefix))
    .map((tag) => {
      const [type = "", value = ""] = tag.slice(pendingPrefix.length).split(":");
      return { type: type as TrustedSource["type"], value: Buffer.from(value, "hex").toString() };
    });
}

export function pendingTags(sources: readonly TrustedSource[]): string[] {
  if (sources.length === 0) return [];
  return [
    pendingTag,
    ...sources.map(({ type, value }) => `${pendingPrefix}${type}:${Buffer.from(value).toString("hex")}`),
  ];
}

/** Makes the pending marks on a cluster equal to what is pending. */
export async function markPending(
  context: Context,
  id: string,
  tags: readonly string[],
  sources: readonly TrustedSource[],
): Promise<void> {
  const wanted = pendingTags(sources);
  const live = tags.filter((tag) => tag === pendingTag || tag.startsWith(pendingPrefix));
  const add = wanted.filter((tag) => !live.includes(tag));
  const remove = live.filter((tag) => !wanted.includes(tag));
  await applyChanges(context, { kind: "database", id }, { add, remove: [] });
  try {
    await applyChanges(context, { kind: "database", id }, { add: [], remove });
  } catch (error) {
    // A mark that stays costs the next finalizer a look; what it stood for is let in.
    if (!isStatus(error, 400, 404, 422)) throw error;
    return;
  }
  await removeUnusedMarks(context, remove);
}

/** Sources as rules of the API; those whose name nothing has yet are left over. */
export async function resolveSources(
  context: Context,
  sources: readonly TrustedSource[],
): Promise<{ rules: Rule[]; pending: TrustedSource[] }> {
  const known = createDirectory(context);
  const rules: Rule[] = [];
  const pending: TrustedSource[] = [];
  for (const source of sources) {
    if (isId(source)) {
      rules.push(source);
      continue;
    }
    const found = (await known(source.type)).filter(({ name }) => name === source.value);
    if (found.length > 1)
      throw new ProviderFailure(
        "validation",
        `Several things of kind ${source.type} are called "${source.value}": name one by its id`,
      );
    if (found[0] === undefined) pending.push(source);
    else rules.push({ type: source.type, value: found[0].id });
  }
  return { rules, pending };
}

/** Names of what the rules let in, in the order of the rules; the value itself where there is no name. */
export async function nameRules(
  context: Context,
  rules: readonly Rule[],
): Promise<{ type: string; value: string; name: string }[]> {
  const known = createDirectory(context);
  const named: { type: string; value: string; name: string }[] = [];
  for (const { type, value } of rules) {
    const hasName = type === "app" || type === "k8s" || type === "droplet";
    const name = hasName ? (await known(type)).find(({ id }) => id === value)?.name : undefined;
    named.push({ type, value, name: name ?? value });
  }
  return named;
}

export function sameSources(
  wanted: readonly TrustedSource[],
  live: readonly { readonly type: string; readonly value: string; readonly name: string }[],
): boolean {
  if (wanted.length !== live.length) return false;
  const left = [...live];
  return wanted.every(({ type, value }) => {
    const index = left.findIndex((each) => each.type === type && (each.value === value || each.name === value));
    if (index !== -1) left.splice(index, 1);
    return index !== -1;
  });
}

/** Addresses and tags stand for themselves; other values are ids or names. */
function isId({ type, value }: TrustedSource): boolean {
  if (type === "ip_addr" || type === "tag") return true;
  return type === "droplet" ? /^\d+$/.test(value) : isUuid(value);
}

/** Lists of what can be named, each asked for once. */
function createDirectory(context: Context): (type: string) => Promise<Named[]> {
  const asked = new Map<string, Promise<Named[]>>();
  const ask = async (type: string): Promise<Named[]> => {
    const cloud = api(context);
    switch (type) {
      case "app":
        return (await collect(cloud.list<{ id: string; spec: { name: string } }>("apps", "apps"))).map(
          ({ id, spec }) => ({ id, name: spec.name }),
        );
      case "k8s":
        return collect(cloud.list<Named>("kubernetes/clusters", "kubernetes_clusters"));
      default:
        return (await collect(cloud.list<{ id: number; name: string }>("droplets", "droplets"))).map(
          ({ id, name }) => ({ id: String(id), name }),
        );
    }
  };
  return (type) => {
    let list = asked.get(type);
    if (list === undefined) {
      list = ask(type);
      asked.set(type, list);
    }
    return list;
  };
}
