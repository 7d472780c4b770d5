import { dryRunFlags, refuseSilentYes, type ApplyArguments } from "./apply.ts";
import type { CommandSpec } from "./command-spec.ts";
import { parseFlags, usage } from "./parse-flags.ts";
import {
  allowReplaceFlag,
  approveFlag,
  excludeFlag,
  includeFlag,
  jsonFlag,
  onFailureFlag,
  parallelismFlag,
  pluginFlags,
  readOutput,
  readPlanOptions,
  readPlugin,
  readStack,
  sensitiveFlag,
  stackFilePositional,
  stackFlags,
} from "./shared-flags.ts";

export const destroySpec: CommandSpec = {
  path: ["destroy"],
  summary: "Delete everything that the stack's state records",
  details: [
    "A plan of deletes against the recorded dependencies, shown and confirmed as in apply. Protected resources are refused unless --allow-replace names them.",
  ],
  positionals: [stackFilePositional],
  flags: [
    ...stackFlags,
    ...pluginFlags,
    approveFlag,
    includeFlag,
    excludeFlag,
    allowReplaceFlag,
    onFailureFlag,
    parallelismFlag,
    ...dryRunFlags,
    jsonFlag,
    sensitiveFlag,
  ],
};

export function parseDestroy(argv: readonly string[]): ApplyArguments {
  const flags = parseFlags(destroySpec, argv);
  const output = readOutput(destroySpec, flags);
  const dryRun = flags.isSet("dry-run");
  const autoApprove = flags.isSet("auto-approve");
  if (flags.text("format") !== undefined && !dryRun) throw usage(destroySpec, "--format needs --dry-run", "Use --json");
  refuseSilentYes(destroySpec, { ...output, autoApprove, dryRun });
  return {
    ...readStack(destroySpec, flags),
    ...readPlugin(flags),
    ...output,
    options: readPlanOptions(flags),
    autoApprove,
    dryRun,
    refreshOnly: false,
    newState: false,
  };
}
