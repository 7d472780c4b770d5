import { withoutMissing } from "./generate-scenario.ts";
import { runScenario } from "./run-scenario.ts";
import type { Scenario, SimResource, SimStep } from "./scenario.ts";

/**
 * The smallest scenario found that still breaks a rule of the same kind: fewer steps, resources, edges, crashes and faults.
 * Gives up after `maxRuns` plays.
 */
export async function shrinkScenario(scenario: Scenario, options: { maxRuns?: number } = {}): Promise<Scenario> {
  const first = (await runScenario(scenario)).violations[0];
  if (first === undefined) return scenario;
  const kind = kindOf(first);
  let runs = options.maxRuns ?? 400;
  const fails = async (candidate: Scenario): Promise<boolean> => {
    runs -= 1;
    return (await runScenario(candidate)).violations.some((violation) => kindOf(violation) === kind);
  };
  let current = scenario;
  for (let progress = true; progress && runs > 0;) {
    progress = false;
    for (const candidate of smaller(current)) {
      if (runs <= 0) break;
      if (!(await fails(candidate))) continue;
      current = candidate;
      progress = true;
      break;
    }
  }
  return current;
}

/** What a violation is about, without the names in it. */
function kindOf(violation: string): string {
  return violation.replace(/\br\d+\b|\b[a-z]+-\d+\b|\d+/g, "#").slice(0, 60);
}

function* smaller(scenario: Scenario): Generator<Scenario> {
  const withSteps = (steps: readonly SimStep[]): Scenario => ({ ...scenario, steps });
  const withStep = (index: number, step: SimStep): Scenario => withSteps(scenario.steps.with(index, step));
  for (const index of scenario.steps.keys()) yield withSteps(scenario.steps.toSpliced(index, 1));
  for (const name of new Set(scenario.steps.flatMap((step) => step.resources.map((resource) => resource.name)))) {
    yield withSteps(scenario.steps.map((step) => withoutResource(step, name)));
  }
  for (const [index, step] of scenario.steps.entries()) {
    for (const at of step.crashes.keys()) yield withStep(index, { ...step, crashes: step.crashes.toSpliced(at, 1) });
    if (step.faultShare > 0) yield withStep(index, { ...step, faultShare: 0 });
    if (step.outside.length > 0) yield withStep(index, { ...step, outside: [] });
    if (step.onFailure !== "continue") yield withStep(index, { ...step, onFailure: "continue" });
    const { refusedWrite, interruptAfter, parallelism, ...rest } = step;
    if (refusedWrite !== undefined || interruptAfter !== undefined || parallelism !== undefined)
      yield withStep(index, rest);
    for (const at of step.resources.keys()) {
      for (const resource of simpler(step.resources[at]!))
        yield withStep(index, { ...step, resources: step.resources.with(at, resource) });
    }
  }
  const { cloud } = scenario;
  for (const key of ["lagMs", "deleteMs", "readyMs", "writeMs"] as const)
    if (cloud[key] > 0) yield { ...scenario, cloud: { ...cloud, [key]: 0 } };
}

function withoutResource(step: SimStep, name: string): SimStep {
  const resources = step.resources.filter((resource) => resource.name !== name);
  return { ...step, resources: resources.map((resource) => withoutMissing(resource, resources)) };
}

function* simpler(resource: SimResource): Generator<SimResource> {
  for (const key of ["uses", "follows", "waitsFor"] as const)
    if (resource[key].length > 0) yield { ...resource, [key]: [] };
  if (resource.secret) yield { ...resource, secret: false };
  if (resource.isProtected) yield { ...resource, isProtected: false };
  if (resource.replace !== undefined) {
    const { replace: _replace, ...rest } = resource;
    yield rest;
  }
}
