import type { CommandSpec } from "./command-spec.ts";
import { parseFlags } from "./parse-flags.ts";
import {
  jsonFlag,
  parallelismFlag,
  pluginFlags,
  readPlugin,
  readStackFlags,
  stackFlags,
  type PluginArguments,
  type StackArguments,
} from "./shared-flags.ts";

export interface CompensateArguments extends StackArguments, PluginArguments {
  readonly json: boolean;
  /** @default the last run that applied or destroyed */
  readonly run?: string;
  readonly skip: ReadonlySet<string>;
  readonly parallelism?: number;
}

export const compensateSpec: CommandSpec = {
  path: ["compensate"],
  summary: "Undo what a run did, as far as it can be undone",
  details: [
    "Works while nothing has changed the state since the run ended. What the run created is deleted, what it updated is updated back, dependents first; deletes and delete-first replaces cannot be undone and stay as they are.",
    "An undo that fails for one resource goes on with those that do not depend on it. --skip leaves a resource as it is, so that the rest can be finished.",
  ],
  positionals: [{ name: "RUN", text: "id of the run; the last one unless told", required: false }],
  flags: [
    ...stackFlags,
    ...pluginFlags,
    jsonFlag,
    { name: "skip", value: "NAMES", list: true, text: "resources to leave as they are" },
    parallelismFlag,
  ],
};

export function parseCompensate(argv: readonly string[]): CompensateArguments {
  const flags = parseFlags(compensateSpec, argv);
  const run = flags.positionals[0];
  const parallelism = flags.count("parallelism", 1);
  return {
    ...readStackFlags(flags),
    ...readPlugin(flags),
    json: flags.isSet("json"),
    ...(run === undefined ? {} : { run }),
    skip: flags.names("skip") ?? new Set(),
    ...(parallelism === undefined ? {} : { parallelism }),
  };
}
