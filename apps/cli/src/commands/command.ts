import type { CommandSpec } from "../arguments/command-spec.ts";
import type { Context } from "../context.ts";

/** Codes that a command ends with. */
export const exitCodes = {
  success: 0,
  error: 1,
  changes: 2,
  leaseHeld: 3,
  planStale: 4,
  attention: 5,
} as const;

/** One command: what it takes, and what it does. Throws what it could not do; the caller shows it. */
export interface Command {
  readonly spec: CommandSpec;
  run(argv: readonly string[], context: Context): Promise<number>;
}
