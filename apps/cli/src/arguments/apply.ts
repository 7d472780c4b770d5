import type { CommandSpec, FlagSpec } from "./command-spec.ts";
import { parseFlags, usage } from "./parse-flags.ts";
import {
  approveFlag,
  jsonFlag,
  parallelismFlag,
  planningFlags,
  pluginFlags,
  readOutput,
  readPlanOptions,
  readPlugin,
  readStack,
  refuseBeside,
  sensitiveFlag,
  stackFilePositional,
  stackFlags,
  type OutputArguments,
  type PlanOptions,
  type PluginArguments,
  type StackArguments,
} from "./shared-flags.ts";

export interface ApplyArguments extends StackArguments, PluginArguments, OutputArguments {
  readonly options: PlanOptions;
  readonly autoApprove: boolean;
  /** Plan and show, nothing else. */
  readonly dryRun: boolean;
  /** A saved plan to run. */
  readonly plan?: string;
  /** Record what the cloud has, and change nothing there. */
  readonly refreshOnly: boolean;
  /** A new state directory may be made in CI. */
  readonly newState: boolean;
}

export const dryRunFlags: readonly FlagSpec[] = [
  { name: "dry-run", text: "show the plan and leave, as the plan command does" },
  { name: "format", value: "FORMAT", choices: ["table", "json"], text: "of --dry-run: table or json" },
];

export const applySpec: CommandSpec = {
  path: ["apply"],
  summary: "Bring the cloud in line with the stack file",
  details: [
    "Takes the lease of the stack, resolves what an earlier run left in flight, shows the plan, asks, and runs exactly that plan.",
    "The first interrupt (Ctrl-C, SIGTERM) starts nothing new and waits up to four seconds for the answers in flight; the second exits at once. The next run resolves what was still open.",
  ],
  positionals: [stackFilePositional],
  flags: [
    ...stackFlags,
    ...pluginFlags,
    approveFlag,
    { name: "plan", value: "FILE", text: "run a plan that was saved with plan -o" },
    ...planningFlags,
    ...dryRunFlags,
    { name: "refresh-only", text: "record what the cloud has, and change nothing there" },
    { name: "new-state", text: "allow a new state directory where CI is set" },
    jsonFlag,
    sensitiveFlag,
  ],
  unserved: {
    "allow-protected-prune": "Name what may be deleted with --allow-replace",
    "refresh-outputs": "Use --refresh: it reads every recorded object, outputs included",
    "skip-refresh": "Leave it out: objects are read only where that is needed, or with --refresh",
    "skip-bootstrap": "Leave it out: nothing is bootstrapped",
    wait: "Leave it out: an action ends when its provider says that it is done",
    owner: "Leave it out: objects carry the mark of their stack",
    "force-owner": "Leave it out: an object of another stack is never taken over",
  },
};

export function parseApply(argv: readonly string[]): ApplyArguments {
  const flags = parseFlags(applySpec, argv);
  const output = readOutput(applySpec, flags);
  const plan = flags.text("plan");
  const dryRun = flags.isSet("dry-run");
  const autoApprove = flags.isSet("auto-approve");
  if (flags.text("format") !== undefined && !dryRun) throw usage(applySpec, "--format needs --dry-run", "Use --json");
  if (plan !== undefined) {
    const decided = planningFlags.filter((flag) => flag.name !== parallelismFlag.name).map((flag) => flag.name);
    refuseBeside(applySpec, flags, "plan", decided);
  }
  const refreshOnly = flags.isSet("refresh-only");
  if (refreshOnly) {
    refuseBeside(applySpec, flags, "refresh-only", ["plan", "dry-run", "replace", "allow-replace", "on-failure"]);
  }
  // Who applies a saved plan has seen it: there is no question.
  if (plan === undefined) refuseSilentYes(applySpec, { ...output, autoApprove, dryRun });
  return {
    ...readStack(applySpec, flags),
    ...readPlugin(flags),
    ...output,
    options: readPlanOptions(flags),
    autoApprove,
    dryRun,
    ...(plan === undefined ? {} : { plan }),
    refreshOnly,
    newState: flags.isSet("new-state"),
  };
}

/** JSON output has no place for a question: who reads it must have said yes beforehand. */
export function refuseSilentYes(
  spec: CommandSpec,
  args: { readonly json: boolean; readonly autoApprove: boolean; readonly dryRun: boolean },
): void {
  if (args.json && !args.autoApprove && !args.dryRun) {
    throw usage(spec, "--json cannot ask for a yes", "Add --auto-approve, or --dry-run to see the plan only");
  }
}
