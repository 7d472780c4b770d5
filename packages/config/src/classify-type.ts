import { resourceKinds, typePattern } from "./names.ts";
import { editDistance, suggest } from "./suggest.ts";

export type ModuleKind = "resource" | "provider" | "state" | "other";
export type TypeReading = { readonly kind: ModuleKind } | { readonly summary: string; readonly hint: string };

/**
 * What a module is by its type. Types of upstream's application engine are passed over, so a misspelt type of ours must
 * not look like one of those: it would silently take a resource out of the stack.
 */
export function classifyType(type: string): TypeReading {
  if (type === "iac.provider") return { kind: "provider" };
  if (type === "iac.state") return { kind: "state" };
  const dot = type.indexOf(".");
  const head = dot < 0 ? type : type.slice(0, dot);
  const rest = dot < 0 ? "" : type.slice(dot + 1);
  if (head === "infra") {
    if (typePattern.test(type)) return { kind: "resource" };
    return {
      summary: `The module type "${type}" cannot be read, expected infra.<kind> in small letters, digits and "_"`,
      hint: didYouMean(`infra.${nearKind(rest) ?? "database"}`),
    };
  }
  if (head === "platform") {
    const kind = nearKind(rest);
    return {
      summary: `The module type "${type}" belongs to an older system that is not read here`,
      hint: kind === undefined ? "Write type: infra.<kind>, such as infra.database" : `Write type: infra.${kind}`,
    };
  }
  const near = misspelt(head, rest);
  if (near !== undefined) return { summary: `The module type "${type}" is not known`, hint: didYouMean(near) };
  return { kind: "other" };
}

function misspelt(head: string, rest: string): string | undefined {
  const small = head.toLowerCase();
  const iacKind = suggest(rest, ["provider", "state"]);
  if (small === "iac") return `iac.${iacKind ?? "provider"}`;
  if (iacKind !== undefined && editDistance(small, "iac") <= 1) return `iac.${iacKind}`;
  const distance = editDistance(small, "infra");
  if (rest === "" && distance > 0) return undefined;
  if (distance <= 1 || small === "infrastructure")
    return `infra.${nearKind(rest) ?? (rest.toLowerCase() || "database")}`;
  const kind = nearKind(rest);
  return distance === 2 && kind !== undefined ? `infra.${kind}` : undefined;
}

function nearKind(rest: string): string | undefined {
  return suggest(rest.replaceAll("-", "_"), resourceKinds);
}

function didYouMean(type: string): string {
  return `Did you mean "${type}"?`;
}
