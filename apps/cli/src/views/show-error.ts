import { WfctlError } from "@wfctl/model";
import { exitCodes } from "../commands/command.ts";
import type { Context } from "../context.ts";
import { Interrupted } from "../terminal/interrupted.ts";

/** Shows what a command threw, as people or programs asked for it, and gives the exit code. */
export async function showError(
  thrown: unknown,
  call: { readonly argv: readonly string[]; readonly context: Context },
): Promise<number> {
  const { argv, context } = call;
  if (thrown instanceof Interrupted) {
    if (!wantsJson(argv)) context.stderr.write(`${thrown.message}\n`);
    else await showJson(new WfctlError("CANCELLED", thrown.message), context);
    return thrown.exitCode;
  }
  const error = WfctlError.from(thrown);
  if (wantsJson(argv)) await showJson(error, context);
  else {
    const { createHumanView } = await import("./human/human-view.ts");
    createHumanView(context).error(error);
  }
  return exitCodeOf(error);
}

function exitCodeOf(error: WfctlError): number {
  if (error.code === "LEASE_HELD") return exitCodes.leaseHeld;
  if (error.code === "PLAN_STALE") return exitCodes.planStale;
  return exitCodes.error;
}

async function showJson(error: WfctlError, context: Context): Promise<void> {
  const { createJsonView } = await import("./json/json-view.ts");
  createJsonView(context, { stream: true }).error(error);
}

/** The command line may be the very thing that is wrong, so it is looked at, not parsed. */
function wantsJson(argv: readonly string[]): boolean {
  return argv.some(
    (word, index) =>
      /^--?json$/.test(word) ||
      /^--?format=json$/.test(word) ||
      (/^--?format$/.test(word) && argv[index + 1] === "json"),
  );
}
