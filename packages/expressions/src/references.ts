import type { ASTNode } from "@marcbachmann/cel-js";
import { ExpressionError } from "./expression-error.ts";
import { parseProgram, sharedLanguage } from "./language.ts";
import { variablesName } from "./scan.ts";

/** What an expression needs from outside, by the name that stands in its text. */
export type NamedReference = { readonly offset: number } & (
  | { readonly variable: string }
  | { readonly env: string }
  | { readonly resource: string; readonly path: string }
);

/**
 * Everything that an expression refers to, each once, in order of appearance: `var.NAME`, `env.NAME`,
 * `resource["name"].output` and `name.output`. Throws an `ExpressionError` where it cannot be read, and where what it
 * needs is not written out (`db[x]`, `db` alone): the plan has to know.
 */
export function readReferences(expression: string): NamedReference[] {
  const { ast } = parseProgram(sharedLanguage(), expression);
  const found = new Map<string, NamedReference>();
  walk(ast, new Set(), (reference) => {
    const { offset: _, ...key } = reference;
    const id = JSON.stringify(key);
    if (!found.has(id)) found.set(id, reference);
  });
  return [...found.values()];
}

type Found = (reference: NamedReference) => void;
interface Node {
  readonly op: string;
  readonly args: unknown;
  readonly start: number;
}

const loops: ReadonlySet<string> = new Set(["all", "exists", "exists_one", "map", "filter"]);
const namespaces: ReadonlySet<string> = new Set(["cel", "optional"]);

function walk(value: unknown, bound: ReadonlySet<string>, found: Found): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, bound, found);
    return;
  }
  if (!isNode(value)) return;
  const chain = chainOf(value);
  if (chain !== undefined && !bound.has(chain.root)) {
    readChain(chain, found);
    for (const index of chain.indexes) walk(index, bound, found);
    return;
  }
  if (value.op === "rcall") {
    const [name, receiver, args] = value.args as [string, ASTNode, readonly unknown[]];
    const isNamespace = isNode(receiver) && receiver.op === "id" && namespaces.has(receiver.args as string);
    if (!isNamespace) walk(receiver, bound, found);
    const declares = isNamespace ? name === "bind" : loops.has(name);
    const first = args[0];
    if (declares && isNode(first) && first.op === "id") {
      const inner = new Set([...bound, first.args as string]);
      const rest = args.slice(1);
      // The value that bind gives a name to stands outside of the name.
      if (isNamespace) walk(rest.shift(), bound, found);
      walk(rest, inner, found);
      return;
    }
    walk(args, bound, found);
    return;
  }
  walk(value.args, bound, found);
}

/** A name with the keys that follow it. */
interface Chain {
  readonly root: string;
  readonly start: number;
  /** Keys that are written out; ends where one is computed. */
  readonly keys: readonly string[];
  /** Computed keys. */
  readonly indexes: readonly unknown[];
}

function chainOf(node: Node): Chain | undefined {
  if (node.op === "id") return { root: node.args as string, start: node.start, keys: [], indexes: [] };
  if (node.op !== "." && node.op !== "[]" && node.op !== ".?" && node.op !== "[?]") return undefined;
  const [object, key] = node.args as [unknown, unknown];
  if (!isNode(object)) return undefined;
  const chain = chainOf(object);
  if (chain === undefined) return undefined;
  const literal =
    typeof key === "string"
      ? key
      : isNode(key) && key.op === "value" && typeof key.args === "string"
        ? key.args
        : undefined;
  if (literal !== undefined && chain.indexes.length === 0) return { ...chain, keys: [...chain.keys, literal] };
  return { ...chain, indexes: [...chain.indexes, key] };
}

function readChain({ root, start, keys }: Chain, found: Found): void {
  const [first, second] = keys;
  if (root === variablesName) {
    if (first === undefined) throw computed("var", start, "var.NAME");
    found({ variable: first, offset: start });
  } else if (root === "env") {
    if (first === undefined) throw computed("env", start, "env.NAME");
    found({ env: first, offset: start });
  } else if (root === "resource") {
    if (first === undefined || second === undefined) throw computed("resource", start, 'resource["name"].output');
    found({ resource: first, path: second, offset: start });
  } else {
    if (first === undefined) throw computed(root, start, `${root}.output`);
    found({ resource: root, path: first, offset: start });
  }
}

function computed(name: string, offset: number, write: string): ExpressionError {
  return new ExpressionError(
    `The expression uses "${name}" without saying what of it`,
    offset,
    `Write ${write}, with the name written out: the plan has to know what the value needs. Names with a "-" need resource["…"]`,
  );
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}
