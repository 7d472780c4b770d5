import type { Operation } from "./description.ts";

export type Route = { readonly operation: Operation; readonly params: Record<string, string> };

/** Finds the operation of a request. Among several that fit, the one whose first differing segment is literal wins. */
export interface Router {
  match(method: string, path: string): Route | undefined;
  /** Methods that the path knows, for 405 answers. */
  methods(path: string): string[];
}

interface Entry {
  readonly operation: Operation;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  /** A digit for each segment: sorts the more literal ones first. */
  readonly rank: string;
}

export function createRouter(operations: readonly Operation[]): Router {
  const entries = operations.map(toEntry).toSorted((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0));
  return {
    match(method, path) {
      for (const { operation, pattern, names } of entries) {
        if (operation.method !== method) continue;
        const found = pattern.exec(path);
        if (found === null) continue;
        const params = names.map((name, index) => [name, decodeURIComponent(found[index + 1] ?? "")]);
        return { operation, params: Object.fromEntries(params) as Record<string, string> };
      }
      return undefined;
    },
    methods: (path) => [
      ...new Set(entries.filter(({ pattern }) => pattern.test(path)).map(({ operation }) => operation.method)),
    ],
  };
}

function toEntry(operation: Operation): Entry {
  const names: string[] = [];
  const segments = operation.path.split("/");
  const pattern = segments.map((segment) =>
    segment
      .split(/(\{[^}]+\})/)
      .map((part) => {
        const [, name, wildcard] = /^\{([^}=]+)(=.*\*\*)?\}$/.exec(part) ?? [];
        if (name === undefined) return part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
        names.push(name);
        return wildcard === undefined ? "([^/:]+|[^/]+)" : "(.+)";
      })
      .join(""),
  );
  return {
    operation,
    names,
    pattern: new RegExp(`^${pattern.join("/")}$`),
    rank: segments.map(rankOf).join(""),
  };
}

/** A literal, a parameter with something beside it, a parameter alone. */
function rankOf(segment: string): string {
  if (!segment.includes("{")) return "0";
  return /^\{[^}]+\}$/.test(segment) ? "2" : "1";
}
