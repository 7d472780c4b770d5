import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { WfctlError } from "@wfctl/model";
import { listPlugins, type InstalledPlugin } from "@wfctl/plugin-host";
import { configFileName, readConformanceConfig, type ConformanceConfig } from "./config/conformance-config.ts";
import type { Sample } from "./config/sample.ts";
import { summarize, type ConformanceReport, type ScenarioResult } from "./report.ts";
import { Late, levels, NotApplicable, Problem, Skip, type Level, type Scenario, type Trial } from "./scenario.ts";
import { scenarios } from "./scenarios/catalog.ts";
import { createObjects } from "./subject/objects.ts";
import { describeExit, lastWords } from "./subject/raw-plugin.ts";
import { createSubject } from "./subject/subject.ts";

export interface ConformanceOptions {
  /** @default "strict" */
  readonly level?: Level;
  /** Run these scenarios only. @default all of the level */
  readonly only?: readonly string[];
  /** What the drivers can be tried with. @default conformance.json of the plugin's folder */
  readonly configFile?: string;
  /** Environment of the plugin's host. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Told after each scenario. */
  readonly onResult?: (result: ScenarioResult) => void;
}

/**
 * Runs the suite on the plugin in a folder: plugin.json, the executable, and `conformance.json` with what its drivers can
 * be tried with. Starts real processes and makes real objects, and removes them.
 * Throws PLUGIN_NOT_FOUND where the folder holds no plugin, CONFIG_INVALID for a wrong conformance.json, USAGE for a
 * scenario that does not exist. What the plugin does wrong is in the report.
 */
export async function runConformance(directory: string, options: ConformanceOptions = {}): Promise<ConformanceReport> {
  const { level = "strict", only, env = process.env, onResult } = options;
  const chosen = chooseScenarios(level, only);
  // Short: the sockets of plugins are below it.
  const tmp = mkdtempSync(join(tmpdir().length > 40 ? "/tmp" : tmpdir(), "wfc-"));
  const run = `c${randomBytes(4).toString("hex")}`;
  const installed = findInstalled(resolve(directory), tmp);
  const results: ScenarioResult[] = [];
  try {
    const configFile = options.configFile ?? join(installed.directory, configFileName);
    const read = readConformanceConfig(configFile, { tmp, run, plugin: installed.directory, env });
    if (read === undefined && options.configFile !== undefined) {
      throw new WfctlError("CONFIG_INVALID", `There is no file ${resolve(configFile)}`);
    }
    const config = read ?? { provider: {}, secrets: [], samples: [], notApplicable: new Map<string, string>() };
    checkNotApplicable(config, configFile);
    const subject = createSubject({ installed, config, env, tmp, run });
    const trial: Trial = { subject, config, objects: createObjects(subject) };
    try {
      for (const scenario of chosen) {
        for (const sample of scenario.scope === "sample" ? samplesOf(config) : [undefined]) {
          const result = await tryScenario(scenario, trial, sample, scenario[level] as "required" | "advised");
          results.push(result);
          onResult?.(result);
        }
      }
    } finally {
      await trial.objects.cleanUp();
      await subject.close();
    }
  } finally {
    rmSync(tmp, { recursive: true, force: true });
  }
  const { manifest, name } = installed.parsed;
  return summarize(
    { plugin: name ?? installed.folder, version: manifest?.version ?? "", directory: installed.directory, level },
    results,
  );
}

/** Without samples the drivers cannot be tried: their scenarios are there, each skipped once. */
function samplesOf(config: ConformanceConfig): readonly (Sample | undefined)[] {
  return config.samples.length === 0 ? [undefined] : config.samples;
}

async function tryScenario(
  scenario: Scenario,
  trial: Trial,
  sample: Sample | undefined,
  demand: "required" | "advised",
): Promise<ScenarioResult> {
  const { id, title } = scenario;
  const head = { id, title, ...(sample === undefined ? {} : { type: sample.type }), demand };
  const reason =
    trial.config.notApplicable.get(sample === undefined ? id : `${id} ${sample.type}`) ??
    trial.config.notApplicable.get(id);
  if (reason !== undefined) return { ...head, result: "not-applicable", message: reason, durationMs: 0 };
  const started = performance.now();
  const dead = new Set(trial.subject.processes.filter(({ endedByItself }) => endedByItself));
  const end = (result: ScenarioResult["result"], message?: string): ScenarioResult => {
    const durationMs = Math.round(performance.now() - started);
    return { ...head, result, ...(message === undefined ? {} : { message }), durationMs };
  };
  const run = async (): Promise<void> => {
    if (scenario.scope === "plugin") await scenario.run(trial);
    else if (sample === undefined)
      throw new Skip(`there is no sample: ${configFileName} says what drivers can be tried with`);
    else await scenario.run(trial, sample);
  };
  let failure: string | undefined;
  try {
    await run().catch((error: unknown) => (error instanceof Late ? run() : Promise.reject(error)));
  } catch (error) {
    if (error instanceof Skip) return end("skipped", error.message);
    if (error instanceof NotApplicable) return end("not-applicable", error.message);
    // A defect of the suite must not pass for one of the plugin.
    if (!(error instanceof Problem)) throw error;
    failure = error.message;
  }
  const ended = trial.subject.processes.find((each) => each.endedByItself && !dead.has(each));
  if (ended?.exit !== undefined) {
    const how = `The plugin ended by itself: it ${describeExit(ended.exit)}${lastWords(ended.stderr)}`;
    failure = failure === undefined ? how : `${failure}\n${how}`;
  }
  return failure === undefined ? end("passed") : end("failed", failure);
}

function chooseScenarios(level: Level, only: readonly string[] | undefined): readonly Scenario[] {
  if (!levels.includes(level)) {
    throw new WfctlError("USAGE", `There is no level "${String(level)}"`, {
      hint: `Levels are ${levels.join(" and ")}`,
    });
  }
  const unknown = only?.find((id) => !scenarios.some((scenario) => scenario.id === id));
  if (unknown !== undefined) {
    throw new WfctlError("USAGE", `There is no scenario "${unknown}"`, {
      hint: `Scenarios are ${scenarios.map(({ id }) => id).join(", ")}`,
    });
  }
  return scenarios.filter(
    (scenario) => scenario[level] !== "off" && (only === undefined || only.includes(scenario.id)),
  );
}

function findInstalled(directory: string, tmp: string): InstalledPlugin {
  const { plugins } = listPlugins({ pluginDir: join(tmp, "none"), extraDirs: [directory], env: {} });
  const [installed] = plugins;
  if (installed !== undefined) return installed;
  rmSync(tmp, { recursive: true, force: true });
  throw new WfctlError("PLUGIN_NOT_FOUND", `There is no plugin in ${directory}: it has no plugin.json`, {
    hint: "Name the folder that holds plugin.json and the executable",
  });
}

/** Only what may be waived is, and only what exists. */
function checkNotApplicable({ notApplicable, samples }: ConformanceConfig, configFile: string): void {
  for (const key of notApplicable.keys()) {
    const [id, type] = key.split(" ", 2);
    const scenario = scenarios.find((each) => each.id === id);
    const problem =
      scenario === undefined
        ? `names no scenario`
        : scenario.waivable !== true
          ? `applies to every plugin`
          : type !== undefined && !samples.some((sample) => sample.type === type)
            ? `names a type without a sample`
            : undefined;
    if (problem === undefined) continue;
    throw new WfctlError("CONFIG_INVALID", `${configFile}: notApplicable "${key}" ${problem}`, {
      hint: `These may be declared: ${scenarios
        .filter(({ waivable }) => waivable === true)
        .map((each) => each.id)
        .join(", ")}`,
    });
  }
}
