import type { DesiredResource, JournalEvent, Json, ProviderErrorClass } from "@wfctl/model";
import type { Fault, FaultSource, ProviderCall } from "../provider/faults.ts";
import type { FakeType } from "../provider/fake-type.ts";
import { createFakeProvider, type FakeProvider, type RecordedCall } from "../provider/fake-provider.ts";
import { createSeededRandom, hashText } from "../random/seeded-random.ts";
import type { CloudEffect, CloudObject } from "../cloud/cloud-object.ts";
import { createTestStack, type TestStack } from "../stack/test-stack.ts";
import { ref, wanted } from "../stack/resources.ts";
import { moduleOf, type Scenario, type SimResource } from "./scenario.ts";

const ours: FakeType = {
  convergentCreate: true,
  lookup: true,
  forceNew: ["region"],
  sensitiveOutputs: ["password"],
  sensitiveInputs: ["secret"],
};
const plain: FakeType = { forceNew: ["region"], sensitiveOutputs: ["password"] };
const cloudTypes: Readonly<Record<string, FakeType>> = {
  "sim.conv": ours,
  "sim.first": { ...ours, createFirst: true },
  "sim.look": { ...ours, convergentCreate: false },
  "sim.late": { ...ours, deferred: true },
  "sim.mark": { ...ours, lookup: false, convergentCreate: false },
};
const oldTypes: Readonly<Record<string, FakeType>> = { "sim.plain": plain, "sim.slack": { ...plain, deferred: true } };

/** What must not be found in anything that is stored or told. */
export const secretPattern = /password-of-|secret-input-|environment-secret/;
const environment = { SIM_SECRET: "environment-secret-value" };

/** A stack on two accounts, ours and the upstream-like plugin's, with faults that depend on seed, step and call only. */
export interface World {
  readonly stack: TestStack;
  readonly cloudProvider: FakeProvider;
  readonly oldProvider: FakeProvider;
  /** Faults from here on: their share, and what else they depend on. Their messages repeat the secrets that the call was given. */
  setFaults(share: number, label: string): void;
  /** The next writes: after so many one fails. */
  refuseWrite(after: number | undefined): void;
}

export function createWorld(
  scenario: Scenario,
  watch: {
    readonly onEffect: (effect: CloudEffect) => void;
    readonly onCall: (call: RecordedCall, module: string) => void;
    /** An object of the stack whose record was lost. */
    readonly onLost: (object: CloudObject) => void;
    readonly onWrite: (commits: readonly (readonly JournalEvent[])[]) => void;
  },
): World {
  const { cloud: facts } = scenario;
  let share = 0;
  let label = "";
  let writesLeft: number | undefined;
  const draw = (text: string): number => hashText(`${scenario.seed}/${label}/${text}`) / 4_294_967_296;
  let counter = 0;

  const faults: FaultSource = (call) => {
    const key = `${call.provider}/${call.operation}/${call.name}/${call.nth}`;
    // Nobody knows then what was there before, nor what became of the create.
    if (share > 0 && call.operation === "create" && lost.has(call.name) && draw(`lost/${key}`) < 0.7)
      return { goes: { wrong: "crash", when: "before" } };
    if (draw(`fault/${key}`) >= share) return undefined;
    const fault = faultOf(call, createSeededRandom(`${scenario.seed}/${label}/${key}`));
    return call.operation === "read" && draw(`lost/${key}`) < 0.5 && loseRecord(call)
      ? { goes: { wrong: "refused", class: "forbidden" } }
      : fault;
  };
  /** There is an object with the mark of this resource that no record knows, as after a state was taken from a backup. */
  const loseRecord = ({ type, name }: ProviderCall): boolean => {
    const { records, unknown, lineage } = stack.disk.draft;
    const account = stack.cloud.account("main");
    // It is old: a search that does not see it yet would be another story.
    if (facts.lagMs > 0) return false;
    if (type !== "sim.mark" || records.has(name) || unknown.size > 0 || account.findByName(type, name) !== undefined)
      return false;
    const inputs = { count: 77, region: "eu" };
    watch.onLost(account.outside.create({ name, type, inputs, owner: `${lineage}/${name}` }));
    lost.add(name);
    return true;
  };
  const lost = new Set<string>();
  const latencyMs = (operation: string, name: string): number =>
    operation === "diff" ? 1 : 1 + Math.floor(draw(`latency/${operation}/${name}/${(counter += 1)}`) * facts.latencyMs);
  const stack = createTestStack({
    seed: scenario.seed,
    env: environment,
    cloud: {
      lagMs: () => Math.floor(draw(`lag/${(counter += 1)}`) * facts.lagMs),
      deleteMs: facts.deleteMs,
      uniqueNames: new Set(["sim.mark"]),
      readyMs: facts.readyMs,
    },
    onEffect: watch.onEffect,
    async beforeWrite(commits) {
      watch.onWrite(commits);
      if (writesLeft !== undefined && (writesLeft -= 1) === 0) throw new Error("disk full");
      if (facts.writeMs > 0) await stack.clock.sleep(draw(`write/${(counter += 1)}`) * facts.writeMs);
    },
    providers: (cloud, clock) => {
      const shared = {
        clock,
        faults,
        latencyMs,
        onCall: watch.onCall,
        survivesCrash: (operation: string, name: string): boolean =>
          draw(`survives/${operation}/${name}/${(counter += 1)}`) < 0.5,
        features: { finalizer: true },
      };
      return [
        createFakeProvider(cloud, { ...shared, module: "cloud", types: cloudTypes }),
        createFakeProvider(cloud, {
          ...shared,
          module: "old",
          name: "older",
          account: "old",
          personality: "upstream",
          types: oldTypes,
        }),
      ];
    },
  });
  return {
    stack,
    cloudProvider: stack.providers.get("cloud")!,
    oldProvider: stack.providers.get("old")!,
    setFaults(nextShare, nextLabel) {
      share = nextShare;
      label = nextLabel;
    },
    refuseWrite(after) {
      writesLeft = after;
    },
  };
}

/** Something that goes wrong in this call. Effects that come late come well within the settle time of 30 seconds. */
function faultOf(call: ProviderCall, random: ReturnType<typeof createSeededRandom>): Fault {
  const isWrite = call.operation === "create" || call.operation === "update" || call.operation === "delete";
  const isCreate = call.operation === "create";
  const upstream = call.provider === "old";
  const message = `cannot ${call.operation} ${call.name} with {secret}`;
  const soft: ProviderErrorClass = random.pick(["transient", "rate_limited", "unknown"] as const);
  const firm: ProviderErrorClass = random.pick(["validation", "forbidden", "unauthorized"] as const);
  const beforeMs = random.below(4000);
  if (call.operation === "finalize" || call.operation === "diff" || call.operation === "sizing") {
    return random.chance(0.2) ? crash(random, false) : { goes: { wrong: "refused", class: soft, message } };
  }
  if (!isWrite)
    return random.chance(0.15)
      ? crash(random, false)
      : { beforeMs, goes: { wrong: "refused", class: random.chance(0.2) ? firm : soft, message } };
  switch (random.below(9)) {
    case 0:
      return { beforeMs, goes: { wrong: "refused", class: firm, message } };
    case 1:
      return { beforeMs, goes: { wrong: "refused", class: soft, message } };
    case 2:
    case 3:
      return { beforeMs, goes: { wrong: "lost", class: soft, message } };
    case 4:
      return { beforeMs, goes: { wrong: "partial", class: soft, message } };
    case 5:
      // The connection is lost, and the request goes on: of a create also where some gateway answered with an error.
      if (!isCreate) return { goes: { wrong: "late", class: "deadline", lateMs: random.below(10_000) } };
      return { goes: { wrong: "late", class: upstream ? "unknown" : "transient", lateMs: random.below(10_000) } };
    case 6:
      return { beforeMs, afterMs: random.below(20_000) };
    case 7:
      return call.operation === "create" && upstream && random.chance(0.5)
        ? { goes: { wrong: "reply", change: (live) => ({ ...live, providerId: "" }) } }
        : crash(random, true);
    default:
      return crash(random, true);
  }
}

function crash(random: ReturnType<typeof createSeededRandom>, mayBeLate: boolean): Fault {
  const when = mayBeLate
    ? random.pick(["before", "after", "late"] as const)
    : random.pick(["before", "after"] as const);
  const beforeMs = random.below(2000);
  return when === "late"
    ? { beforeMs, goes: { wrong: "crash", when, lateMs: random.below(10_000) } }
    : { beforeMs, goes: { wrong: "crash", when } };
}

/** The resource as a configuration says it. */
export function desiredOf(resource: SimResource): DesiredResource {
  const config: Record<string, Json> = { count: resource.count, region: resource.region };
  for (const name of resource.uses) config[`use_${name}`] = ref(name, "id");
  for (const name of resource.follows) config[`follow_${name}`] = ref(name, "revision");
  if (resource.secret) {
    config["secret"] = `secret-input-${resource.name}`;
    config["plain_text"] = { $expr: ["token=", { env: "SIM_SECRET" }] };
    for (const name of resource.uses)
      config[`pass_${name}`] = { $expr: ["https://u:", { resource: name, path: "password" }, "@host"] };
  }
  return wanted(resource.name, config, {
    type: `sim.${resource.type}`,
    provider: moduleOf(resource.type),
    dependsOn: resource.waitsFor,
    protected: resource.isProtected,
    lifecycle: {
      ...(resource.replace === undefined
        ? {}
        : { replace: resource.type === "mark" ? "delete-first" : resource.replace }),
      ...(resource.keeps === "retain" ? { retain: true } : {}),
    },
    adoptExisting: resource.keeps === "adopt",
    existing: resource.keeps === "existing",
  });
}
