import { errorCodes, type WfctlError } from "@wfctl/model";
import { advice } from "../advice.ts";
import { renderDiagnostics } from "./diagnostics.ts";
import type { Style } from "./style.ts";
import { indent, printable } from "./text.ts";

/** What failed, why, and what to do. The diagnostics of an error come first, each with its place. */
export function renderError(error: WfctlError, style: Style, options: { readonly stack: boolean }): string {
  const lines: string[] = [];
  if (error.diagnostics.length > 0) lines.push(renderDiagnostics(error.diagnostics, style), "");
  lines.push(`${style.bad("Error:")} ${style.strong(printable(error.message))}`);
  lines.push(`  why:  ${errorCodes[error.code]} (${error.code})`);
  const cause = describeSystemCause(error.cause);
  if (cause !== undefined) lines.push(`        ${printable(cause)}`);
  lines.push(`  next: ${printable(error.hint ?? advice[error.code])}`);
  if (options.stack) lines.push("", indent(stackOf(error), "  "));
  return `${lines.join("\n")}\n`;
}

/** Errors of the system name files and calls, never values: they may be shown. Other causes may repeat what a cloud said. */
function describeSystemCause(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !("syscall" in cause) || !("code" in cause)) return undefined;
  return `caused by: ${cause.message}`;
}

function stackOf(error: WfctlError): string {
  const own = error.stack ?? "";
  return error.cause instanceof Error && error.cause.stack !== undefined ? `${own}\n${error.cause.stack}` : own;
}
