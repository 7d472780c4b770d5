import type { BoundedRun } from "@wfctl/expressions";
import type {
  DesiredResource,
  Diagnostic,
  ImportRequest,
  OnFailure,
  Plan,
  ResourceRecord,
  StackState,
} from "@wfctl/model";
import type { Clock, Digester, EnvironmentVariables, Provider, Random } from "../ports/index.ts";

export interface PlanInput {
  readonly command: "apply" | "destroy";
  readonly stack: { readonly name: string; readonly environment: string };
  /** What the configuration wants; empty for destroy. */
  readonly desired: readonly DesiredResource[];
  readonly moved: readonly { readonly from: string; readonly to: string }[];
  /** Objects to record as resources, each resource once. @default none */
  readonly imports?: readonly ImportRequest[];
  readonly state: StackState;
  /** Started providers by module name: of every desired resource, and of every record that may have to go. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly env: EnvironmentVariables;
  /** Names that `env` has no value for because another source of theirs has none. @default none */
  readonly missing?: ReadonlyMap<string, { readonly why: string; readonly hint: string }>;
  /** Runs expressions over outputs. */
  readonly bounded: BoundedRun;
  readonly onFailure: OnFailure;
  /** Read every recorded object. */
  readonly refresh: boolean;
  /** Resources to replace whatever their diff says. */
  readonly replace: ReadonlySet<string>;
  /** Protected resources whose delete this run may plan. */
  readonly allowReplace: ReadonlySet<string>;
  /** Only these resources are acted on; undefined means all. */
  readonly include?: ReadonlySet<string>;
  /** All but these resources, and what cannot go without them, are acted on. */
  readonly exclude?: ReadonlySet<string>;
  /** Calls that planning may have open at once. @default 10 */
  readonly parallelism?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly digester: Digester;
  readonly runId: string;
  readonly signal?: AbortSignal;
}

export interface Planned {
  readonly plan: Plan;
  /** Errors: the plan must not run. Warnings: it may. */
  readonly diagnostics: readonly Diagnostic[];
  /** Records that changed without any action (edges, protection, refreshed outputs, moves): written when the run starts. */
  readonly settle: readonly ({ readonly put: ResourceRecord } | { readonly remove: string })[];
}
