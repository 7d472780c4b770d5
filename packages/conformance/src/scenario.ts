import type { ConformanceConfig } from "./config/conformance-config.ts";
import type { Sample } from "./config/sample.ts";
import type { Objects } from "./subject/objects.ts";
import type { Subject } from "./subject/subject.ts";

/** `contract`: what a working plugin of upstream does. `strict`: what wfctl promises its users on top. */
export type Level = "contract" | "strict";
export const levels: readonly Level[] = ["contract", "strict"];

/** A failure of what is `advised` is a warning; what is `off` is not run. */
export type Demand = "required" | "advised" | "off";

interface ScenarioHead {
  /** Stable name, such as `diff-quiet`. */
  readonly id: string;
  /** What a plugin that passes does: one sentence without a final period. */
  readonly title: string;
  readonly contract: Demand;
  readonly strict: Demand;
  /** The plugin's configuration may declare that it cannot apply, with a reason. */
  readonly waivable?: true;
}

/** Run once. Throws a `Problem` where the plugin does otherwise, a `Skip` where it cannot be told. */
export interface PluginScenario extends ScenarioHead {
  readonly scope: "plugin";
  run(trial: Trial): Promise<void>;
}

/** Run for every sample. */
export interface SampleScenario extends ScenarioHead {
  readonly scope: "sample";
  run(trial: Trial, sample: Sample): Promise<void>;
}

export type Scenario = PluginScenario | SampleScenario;

/** What a scenario works with. */
export interface Trial {
  readonly subject: Subject;
  readonly config: ConformanceConfig;
  readonly objects: Objects;
}

/** The plugin does not do what the scenario asserts. The message says what was found and what should be. */
export class Problem extends Error {}

/** What the plugin did came too late. It is tried once more: the machine may have been busy with something else. */
export class Late extends Problem {}

/** The scenario cannot tell anything about this plugin; the message says why, and what would let it. */
export class Skip extends Error {}

/** The plugin does not claim what the scenario asserts, and need not. */
export class NotApplicable extends Error {}

export function expectThat(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new Problem(problem);
}

export function expectInTime(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new Late(problem);
}

export function skipUnless(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new Skip(reason);
}
