import { createSeededRandom, type SeededRandom } from "../random/seeded-random.ts";
import { simTypes, type Scenario, type SimCrash, type SimResource, type SimStep, type SimType } from "./scenario.ts";

/** The scenario of a seed: a stack that changes from step to step, in a world that misbehaves. */
export function generateScenario(seed: number): Scenario {
  const random = createSeededRandom(seed);
  const mood = random.number();
  const steps: SimStep[] = [];
  let resources: readonly SimResource[] = [];
  const stepCount = 1 + random.below(4);
  for (let index = 0; index < stepCount; index += 1) {
    resources = index === 0 ? grow([], random, 1 + random.below(7)) : change(resources, random);
    steps.push(generateStep(resources, random, mood));
  }
  return {
    seed,
    cloud: {
      lagMs: random.chance(0.4) ? random.below(12_000) : 0,
      deleteMs: random.chance(0.3) ? random.below(5000) : 0,
      readyMs: random.chance(0.3) ? random.below(8000) : 0,
      latencyMs: 1 + random.below(random.chance(0.3) ? 3000 : 200),
      writeMs: random.chance(0.5) ? random.below(100) : 0,
    },
    steps: stopInWaits(steps, createSeededRandom(`${seed}/waits`)),
    ...(random.chance(0.3) ? { hookFaultShare: random.pick([0, 0.05, 0.2] as const) } : {}),
  };
}

function generateStep(resources: readonly SimResource[], random: SeededRandom, mood: number): SimStep {
  const crashing = random.chance(0.55);
  const names = resources.map((resource) => resource.name);
  return {
    command: random.chance(0.1) ? "destroy" : "apply",
    resources,
    onFailure: random.pick(["continue", "continue", "stop", "compensate"] as const),
    refresh: random.chance(0.1),
    outside:
      names.length > 0 && random.chance(0.15)
        ? [{ name: random.pick(names) as string, does: random.chance(0.5) ? "edit" : "delete" }]
        : [],
    crashes: crashing ? Array.from({ length: 1 + random.below(3) }, () => generateCrash(random)) : [],
    ...(random.chance(0.1) ? { interruptAfter: random.below(60) } : {}),
    faultShare: random.pick([0, 0, 0.05, 0.2, 0.4] as const) * (0.5 + mood),
    ...(random.chance(0.06) ? { refusedWrite: 1 + random.below(12) } : {}),
    ...(random.chance(0.2) ? { parallelism: 1 + random.below(3) } : {}),
  };
}

function generateCrash(random: SeededRandom): SimCrash {
  const crash: SimCrash = {
    after: 1 + random.below(random.chance(0.5) ? 40 : 150),
    keep: random.below(4),
    elsewhere: random.chance(0.1),
    pauseMs: random.pick([0, 0, 100, 5000, 40_000] as const),
  };
  if (!random.chance(0.2)) return crash;
  // Nobody takes the lease of one that lives before it runs out.
  return { ...crash, pauseMs: leaseExpiryMs + random.below(2000), wakesAfterMs: random.below(20_000) };
}

const leaseExpiryMs = 30_001;

/** Some of the hosts that are stopped are so right when a wait is over: when they are continued, they send a call again. */
function stopInWaits(steps: readonly SimStep[], random: SeededRandom): SimStep[] {
  return steps.map((step) => {
    const crashes = step.crashes.map((crash): SimCrash => {
      if (crash.wakesAfterMs === undefined || !random.chance(0.4)) return crash;
      return { ...crash, at: "sleep", after: 1 + random.below(4) };
    });
    if (!crashes.some(({ at }) => at !== undefined)) return step;
    // What is waited for is the next try, as a rule.
    return { ...step, crashes, faultShare: Math.max(step.faultShare, 0.2) };
  });
}

function grow(before: readonly SimResource[], random: SeededRandom, count: number): SimResource[] {
  const resources = [...before];
  for (let made = 0; made < count; made += 1) {
    const taken = new Set(resources.map((resource) => resource.name));
    let number = 0;
    while (taken.has(`r${number}`)) number += 1;
    resources.push(generateResource(`r${number}`, resources, random));
    resources.sort((a, b) => indexOf(a) - indexOf(b));
  }
  return resources.map((resource) => withoutMissing(resource, resources));
}

function generateKeeping(random: SeededRandom): Pick<SimResource, "keeps"> {
  return random.chance(0.15) ? { keeps: random.pick(["adopt", "existing", "retain"] as const) } : {};
}

/** Edges lead to lower numbers only, so that no edit can close a circle. */
function indexOf(resource: Pick<SimResource, "name">): number {
  return Number(resource.name.slice(1));
}

function generateResource(name: string, others: readonly SimResource[], random: SeededRandom): SimResource {
  const type: SimType = random.chance(0.4) ? "conv" : random.pick(simTypes);
  return {
    name,
    type,
    ...generateEdges(name, others, random),
    count: random.below(3),
    region: random.pick(["eu", "eu", "us"] as const),
    ...(random.chance(0.25) ? { replace: random.chance(0.6) ? "create-first" : "delete-first" } : {}),
    secret: random.chance(0.3),
    isProtected: random.chance(0.05),
    ...generateKeeping(random),
  };
}

function generateEdges(
  name: string,
  others: readonly SimResource[],
  random: SeededRandom,
): Pick<SimResource, "uses" | "follows" | "waitsFor"> {
  const lower = others.filter((other) => indexOf(other) < Number(name.slice(1))).map((other) => other.name);
  const some = (share: number): string[] => lower.filter(() => random.chance(share));
  return { uses: some(0.35), follows: some(0.12), waitsFor: some(0.08) };
}

/** What people do to a configuration between two applies. */
function change(before: readonly SimResource[], random: SeededRandom): readonly SimResource[] {
  let resources = [...before];
  const edits = random.below(4);
  for (let edit = 0; edit < edits; edit += 1) {
    const victim = random.below(resources.length);
    const old = resources[victim];
    if (old === undefined) {
      resources = grow(resources, random, 1);
      continue;
    }
    switch (random.below(7)) {
      case 0:
        resources = resources.filter((resource) => resource !== old);
        break;
      case 1:
        resources = grow(resources, random, 1);
        break;
      case 2:
        resources[victim] = { ...old, region: old.region === "eu" ? "us" : "eu" };
        break;
      case 3:
        resources[victim] = { ...old, ...generateEdges(old.name, resources, random) };
        break;
      case 4:
        if (old.keeps === undefined) resources[victim] = { ...old, type: random.pick(simTypes) };
        else if (old.keeps === "existing") resources[victim] = takenOver(old);
        break;
      case 5:
        resources[victim] = { ...old, isProtected: false, secret: !old.secret };
        break;
      default:
        resources[victim] = { ...old, count: old.count + 1 };
    }
  }
  return resources.map((resource) => withoutMissing(resource, resources));
}

/** The resource that was only read, written from now on. */
function takenOver({ keeps: _keeps, ...resource }: SimResource): SimResource {
  return { ...resource, count: resource.count + 1 };
}

/** The resource without edges to what is not there. */
export function withoutMissing(resource: SimResource, resources: readonly SimResource[]): SimResource {
  const names = new Set(resources.map((other) => other.name));
  const kept = (edges: readonly string[]): string[] => edges.filter((name) => names.has(name));
  return {
    ...resource,
    uses: kept(resource.uses),
    follows: kept(resource.follows),
    waitsFor: kept(resource.waitsFor),
  };
}
