import { parseAst } from "rolldown/parseAst";

export interface Import {
  readonly specifier: string;
  /** Erased at run time: `import type` or `export type`. */
  readonly typeOnly: boolean;
}

/** What a TypeScript source imports, dynamic imports of a literal included, and how often it says `new Date()`. */
export function readImports(file: string, source: string): { imports: Import[]; clockReads: number } {
  const imports: Import[] = [];
  let clockReads = 0;
  visit(parseAst(source, { lang: "ts" }, file), (node) => {
    const from = node["source"] as Node | null | undefined;
    if (typeof from?.["value"] === "string") {
      const typeOnly = node["importKind"] === "type" || node["exportKind"] === "type";
      imports.push({ specifier: from["value"], typeOnly });
    }
    if (
      node["type"] === "NewExpression" &&
      (node["callee"] as Node)["name"] === "Date" &&
      (node["arguments"] as unknown[]).length === 0
    ) {
      clockReads += 1;
    }
  });
  return { imports, clockReads };
}

type Node = Readonly<Record<string, unknown>>;

function visit(value: unknown, see: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, see);
  } else if (typeof value === "object" && value !== null) {
    const node = value as Node;
    if (typeof node["type"] === "string") see(node);
    for (const child of Object.values(node)) visit(child, see);
  }
}
