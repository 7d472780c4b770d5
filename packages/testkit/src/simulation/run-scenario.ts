import type { DesiredResource, JournalEvent, ResourceRecord, RunAction } from "@wfctl/model";
import type { RunDraft } from "@wfctl/state";
import { canonicalJson, type Json } from "@wfctl/model";
import { PlanRefused, type Applied, type CommandOptions } from "../stack/test-stack.ts";
import { checkSecrets, checkState } from "./check-state.ts";
import { createListener, type Listener } from "./listener.ts";
import { moduleOf, type Scenario, type SimCrash, type SimResource, type SimStep } from "./scenario.ts";
import { createWatch, isOnlyRead, type Watch } from "./watch.ts";
import { createWorld, desiredOf, type World } from "./world.ts";

export interface SimResult {
  /** Rules that were broken, empty when all is well. */
  readonly violations: readonly string[];
  /** What happened, for people who look into a failure. */
  readonly story: readonly string[];
}

/** Longer than any effect, lag or wait of the cloud may take. */
const quietMs = 120_000;

/** Plays a scenario and checks it: at every moment, after each command, and after everything was set right. */
export async function runScenario(scenario: Scenario, options: { trace?: boolean } = {}): Promise<SimResult> {
  const watch = createWatch();
  const story: string[] = [];
  const tell = (line: string): void => {
    if (options.trace === true) story.push(`  ${((world.stack.clock.now() - startMs) / 1000).toFixed(2)} ${line}`);
  };
  const world = createWorld(scenario, {
    onEffect(effect) {
      tell(
        `${effect.external ? "outside " : ""}${effect.kind} ${effect.name} ${effect.id} ${JSON.stringify(effect.inputs ?? {})}`,
      );
      watch.onEffect(effect);
    },
    onCall(call, module) {
      tell(`call ${module} ${call.operation} ${call.name} ${call.providerId} ${call.options.clientToken ?? ""}`);
      watch.onCall(call, module);
    },
    onLost: ({ id }) => void watch.outside.set(id, "adopt"),
    onWrite(commits) {
      for (const events of commits) tell(`write ${events.map(describeEvent).join(" + ")}`);
    },
  });
  const startMs = world.stack.clock.now();
  watch.stack = world.stack;
  const listener =
    scenario.hookFaultShare === undefined ? undefined : createListener(world, watch, scenario.hookFaultShare);
  const play: Play = { scenario, watch, world, story, listener, checkedEvents: 0 };
  const dog = watchForStandstill(world);
  try {
    await Promise.race([playSteps(play), dog.standstill]);
  } catch (thrown) {
    const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    watch.violations.push(`it threw: ${text}`);
  } finally {
    dog.stop();
  }
  return { violations: [...new Set(watch.violations)], story: play.story };
}

interface Play {
  readonly scenario: Scenario;
  readonly watch: Watch;
  readonly world: World;
  readonly story: string[];
  readonly listener: Listener | undefined;
  checkedEvents: number;
}

async function playSteps(play: Play): Promise<void> {
  for (const [index, step] of play.scenario.steps.entries()) {
    await playStep(play, step, index);
    if (play.watch.violations.length > 0) return;
  }
  await setRight(play);
}

/** Real time in which a simulation must come to its end: it takes some milliseconds. */
const longestMs = 30_000;
const lookEveryMs = 50;

/** Finds simulations in which nobody waits for anything any more, and those that never end. */
function watchForStandstill(world: World): { readonly standstill: Promise<never>; readonly stop: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  let looks = 0;
  let idle = 0;
  const timer = setInterval(() => {
    looks += 1;
    idle = world.stack.clock.sleepers() === 0 ? idle + 1 : 0;
    if (idle > 5) reject(new Error("the simulation stands still: something is awaited that nobody does"));
    if (looks * lookEveryMs > longestMs) reject(new Error("the simulation does not end"));
  }, lookEveryMs);
  return { standstill: promise, stop: () => clearInterval(timer) };
}

async function playStep(play: Play, step: SimStep, index: number): Promise<void> {
  const { world, watch, story } = play;
  const { stack } = world;
  const desired = step.command === "destroy" ? [] : step.resources.map(desiredOf);
  watch.onlyRead = new Set(step.resources.flatMap(({ name, keeps }) => (keeps === "existing" ? [name] : [])));
  await happenOutside(play, step);
  await provideOutside(play, step.resources);
  world.refuseWrite(step.refusedWrite);
  let before = new Map(stack.disk.draft.records);
  let running = 0;
  for (let host = 0; ; host += 1) {
    running = host;
    world.setFaults(step.faultShare, `${index}.${host}`);
    const crash = step.crashes[host];
    const controller = new AbortController();
    let points = 0;
    const told: unknown[] = [];
    const options: CommandOptions = {
      onFailure: step.onFailure,
      refresh: step.refresh,
      signal: controller.signal,
      elsewhere: crash?.elsewhere ?? false,
      keep: crash?.keep ?? 0,
      ...stopping(play, crash),
      crashWhen: (point) => {
        if (crash?.at !== undefined && point.at !== crash.at) return false;
        points += 1;
        if (crash === undefined && points === step.interruptAfter) {
          watch.interrupt();
          controller.abort();
        }
        return points === crash?.after;
      },
      onPlan(planned) {
        // A host that was stopped while it planned comes too late.
        if (running === host) before = new Map(stack.disk.draft.records);
        watch.onPlan(planned);
      },
      ...(step.parallelism === undefined ? {} : { parallelism: step.parallelism }),
    };
    const ended = await runCommand(play, step.command, desired, options, told);
    story.push(`step ${index} host ${host}: ${describe(ended)}`);
    checkStored(play, told);
    if (ended !== "died") {
      watch.endCommand();
      if (ended !== "refused") checkReport(play, ended, before);
      if (ended !== "refused" && ended.end === "succeeded" && step.command === "apply") await checkQuiet(play, desired);
      break;
    }
    if (watch.violations.length > 0) return;
    if (crash !== undefined && crash.pauseMs > 0) await stack.clock.sleep(crash.pauseMs);
  }
  world.refuseWrite(undefined);
  await stack.clock.sleep(quietMs);
  const state = await stack.state();
  const gone = new Set([...watch.deletedOutside, ...watch.goingAtEnd]);
  if (state.openRuns.length === 0) watch.violations.push(...checkState(stack, state, { gone, theirs: watch.outside }));
}

/** Stops the host at its point instead of killing it, and continues it when others have taken over. */
function stopping({ world, listener }: Play, crash: SimCrash | undefined): Pick<CommandOptions, "stops"> {
  // Whom a host tells that was stopped and continued says nothing about the order of what it tells.
  if (crash?.wakesAfterMs === undefined || listener !== undefined) return {};
  const afterMs = crash.pauseMs + crash.wakesAfterMs;
  return { stops: (wake) => void world.stack.clock.sleep(afterMs).then(wake) };
}

async function happenOutside({ world, watch }: Play, step: SimStep): Promise<void> {
  const { records } = await world.stack.state();
  for (const { name, does } of step.outside) {
    const record = records.get(name);
    if (record === undefined || watch.outside.get(record.providerId) === "existing") continue;
    const account = world.stack.cloud.account(record.provider === "old" ? "old" : "main");
    if (does === "edit") account.outside.edit(record.providerId, { count: 99 });
    else {
      account.outside.delete(record.providerId);
      watch.deletedOutside.add(record.providerId);
    }
  }
}

/** Other people make what is to be taken over or read, and clear away what nobody names any more. */
async function provideOutside({ world, watch }: Play, resources: readonly SimResource[]): Promise<void> {
  const { records, unknown } = await world.stack.state();
  const objects = world.stack.cloud.objects();
  const known = new Set([...records.values()].flatMap((record) => [record, ...record.deposed]).map(idOf));
  const asked = new Map(resources.map((resource) => [resource.name, resource]));
  let changed = false;
  for (const object of objects) {
    const keeps = watch.outside.get(object.id);
    const wanted = asked.get(object.name);
    // What the configuration says to write now is taken over.
    if (keeps === "existing" && wanted !== undefined && wanted.keeps !== "existing")
      watch.outside.set(object.id, "adopt");
    const isAsked = wanted?.keeps === keeps;
    if (keeps === undefined || isAsked || known.has(object.id) || unknown.has(object.name)) continue;
    world.stack.cloud.account(object.account).outside.delete(object.id);
    changed = true;
  }
  for (const { name, type, keeps, count, region } of resources) {
    if (keeps !== "adopt" && keeps !== "existing") continue;
    if (records.has(name) || unknown.has(name) || objects.some((object) => object.name === name)) continue;
    const account = world.stack.cloud.account(moduleOf(type) === "old" ? "old" : "main");
    const inputs = { count: keeps === "adopt" ? count + 1 : count, region };
    watch.outside.set(account.outside.create({ name, type: `sim.${type}`, inputs }).id, keeps);
    changed = true;
  }
  // Searches see it by then.
  if (changed) await world.stack.clock.sleep(15_000);
}

function idOf({ providerId }: { readonly providerId: string }): string {
  return providerId;
}

function describeEvent(event: JournalEvent): string {
  const change = "record" in event ? event.record : undefined;
  const record =
    change === undefined ? undefined : "put" in change ? change.put : "remove" in change ? undefined : change;
  const marks =
    record === undefined
      ? ""
      : ` [${record.name} ${record.providerId} ${record.mark ?? ""} deposed ${record.deposed.map((old) => old.providerId).join(",")} on ${record.dependencies.join(",")}]`;
  switch (event.kind) {
    case "intent":
      return `intent ${event.intent.phase} ${event.intent.operation} ${event.intent.name} ${event.intent.half} ${event.intent.clientToken}${marks}`;
    case "outcome":
      return `outcome ${event.run} ${event.outcome.action} ${event.outcome.status} ${event.outcome.message ?? ""}${event.keepIntents === true ? " (open)" : ""}${marks}${change !== undefined && "remove" in change ? ` removes ${change.remove}` : ""}`;
    case "run-started":
      return `run-started ${event.run.id} ${event.run.onFailure} ${event.run.actions.map((action) => `${action.index}:${action.kind} ${action.name}`).join(", ")}`;
    default:
      return `${event.kind}${"action" in event ? ` ${event.action}` : ""}${marks}`;
  }
}

type Ended = Applied | "died" | "refused";

async function runCommand(
  play: Play,
  command: "apply" | "destroy",
  desired: readonly DesiredResource[],
  options: CommandOptions,
  told: unknown[],
): Promise<Ended> {
  const { stack } = play.world;
  const hooks = play.listener === undefined ? {} : { hooks: play.listener.hooks() };
  try {
    const applied = await stack.attempt(command, desired, { ...options, ...hooks });
    told.push(stack.events);
    if (applied === undefined) return "died";
    told.push(
      applied.outcomes,
      applied.result.errors,
      applied.planned.diagnostics,
      applied.planned.plan.notes,
      applied.recovery,
    );
    told.push(applied.planned.plan.actions.map((action) => [action.changes, action.reasons]));
    return applied;
  } catch (thrown) {
    told.push(stack.events);
    if (thrown instanceof PlanRefused) {
      told.push(thrown.diagnostics);
      return "refused";
    }
    // A run that could not begin, because the store refuses, is no fault.
    if ((thrown as { code?: string }).code === "STORE_UNAVAILABLE") return "refused";
    throw thrown;
  }
}

function describe(ended: Ended): string {
  if (typeof ended === "string") return ended;
  const unknown = ended.recovery.unknown.map((each) => each.name).join(",");
  return `${ended.end} ${JSON.stringify(ended.ends)}${unknown === "" ? "" : ` unknown ${unknown}`}${ended.fatal === undefined ? "" : ` fatal ${ended.fatal.code}: ${ended.fatal.message}`}`;
}

function checkStored(play: Play, told: readonly unknown[]): void {
  const { watch, world } = play;
  const { commits } = world.stack.disk;
  for (const event of commits.slice(play.checkedEvents).flat()) clearForgotten(play, event);
  watch.violations.push(...checkSecrets(commits.slice(play.checkedEvents).flat(), told));
  play.checkedEvents = commits.length;
}

/**
 * What is retained, what another object takes the place of in the record of what was only read, and what an undo forgets
 * because it is not proven to be its own: somebody clears it away by hand.
 */
function clearForgotten({ watch, world }: Play, event: JournalEvent): void {
  if (event.kind !== "outcome" && event.kind !== "half" && event.kind !== "intent-closed") return;
  const left = leftBy(world, event);
  for (const object of world.stack.cloud.objects()) {
    if (object.id !== left || watch.outside.has(object.id)) continue;
    watch.deletedOutside.add(object.id);
    world.stack.cloud.account(object.account).outside.delete(object.id);
  }
}

/** How the end of an action, or of a call of one that had ended, changes its record. */
type RecordingEvent = Extract<JournalEvent, { kind: "outcome" | "half" | "intent-closed" }>;

/** Id of the object that the event leaves in the cloud on purpose, and of which no record is left. */
function leftBy(world: World, event: RecordingEvent): string | undefined {
  const { openRuns, history, records } = world.stack.disk.draft;
  const run = openRuns.get(event.run) ?? history?.get(event.run);
  const index = event.kind === "outcome" ? event.outcome.action : event.action;
  const action = run?.header.actions[index];
  if (run === undefined || action === undefined) return undefined;
  const told =
    event.kind === "outcome" ? /Forgotten, not deleted: .* id (\S+)\)/.exec(event.outcome.message ?? "") : null;
  const id = told?.[1] ?? replacedId(run, action, event);
  const record = records.get(action.name);
  const isKept = record?.providerId === id || record?.deposed.some((old) => old.providerId === id) === true;
  return isKept ? undefined : id;
}

/** The object of the record before, where an action put another one in its place or only forgot it. */
function replacedId(run: RunDraft, action: RunAction, event: RecordingEvent): string | undefined {
  const before =
    run.sent.get(`${action.index}:main:apply`)?.before ?? run.sent.get(`${action.index}:create:apply`)?.before;
  if (before === undefined || event.record === undefined) return undefined;
  if (action.kind === "forget") return "remove" in event.record ? before.providerId : undefined;
  const takesPlace = action.kind === "create" || action.kind === "read" || action.kind === "adopt";
  if (!takesPlace || !("put" in event.record) || event.record.put.providerId === before.providerId) return undefined;
  return before.providerId;
}

/** A plan right after a run that succeeded has nothing to do, but for what stays unknown. */
async function checkQuiet({ watch, world }: Play, desired: readonly DesiredResource[]): Promise<void> {
  world.setFaults(0, "quiet");
  const { unknown } = await world.stack.state();
  if (unknown.size > 0) return;
  const { plan, settle } = await world.stack.plan(desired);
  if (settle.length > 0) watch.violations.push(`a run that succeeded left ${settle.length} records to be settled`);
  if (plan.actions.length === 0) return;
  const kinds = plan.actions.map((action) => `${action.kind} ${action.name}: ${action.reasons.join(", ")}`);
  watch.violations.push(`the plan after a run that succeeded is not empty: ${kinds.join("; ")}`);
}

/** What a finished run says of itself. */
function checkReport({ watch, world }: Play, ended: Applied, before: ReadonlyMap<string, ResourceRecord>): void {
  const { plan } = ended.planned;
  if (
    ended.outcomes.length !== plan.actions.length ||
    ended.outcomes.some((outcome, index) => outcome?.action !== index)
  )
    watch.violations.push(`${ended.run} has ${ended.outcomes.length} outcomes for ${plan.actions.length} actions`);
  const allWell = ended.outcomes.every((outcome) => outcome.status === "SUCCESS") && ended.finalizeErrors.length === 0;
  if ((ended.end === "succeeded") !== allWell && ended.fatal === undefined && ended.end !== "interrupted")
    watch.violations.push(`${ended.run} ended ${ended.end} with ${JSON.stringify(ended.ends)}`);
  if (ended.fatal?.code === "INTERNAL") watch.violations.push(`${ended.run} failed inside: ${ended.fatal.message}`);
  if (ended.end === "compensated")
    watch.violations.push(
      ...checkUndone(before, world.stack.disk.draft.records, world, watch),
      ...checkNew(ended, before, world),
    );
}

/** After an undo that says it is complete, all is as it was. */
function checkUndone(
  before: ReadonlyMap<string, ResourceRecord>,
  after: ReadonlyMap<string, ResourceRecord>,
  world: World,
  watch: Watch,
): string[] {
  const broken: string[] = [];
  const objects = new Map(world.stack.cloud.objects().map((object) => [object.id, object]));
  for (const [name, record] of before) {
    // Of an object that was not to be trusted before nobody can say how it was.
    if (record.mark !== undefined) continue;
    const now = after.get(name);
    if (now?.providerId !== record.providerId) {
      if (!watch.deletedOutside.has(record.providerId))
        broken.push(`the undo gave ${name} as ${now?.providerId}, before it was ${record.providerId}`);
      continue;
    }
    if (isOnlyRead(record) && !now.retain)
      broken.push(`the undo left ${name} as an object of the stack, before it was only read`);
    const object = objects.get(record.providerId);
    // An object of the upstream-like plugin need not have all that its record says: its Diff passes over what it does not show.
    if (object === undefined || record.provider === "old" || watch.outside.has(object.id)) continue;
    // What is only read was given its inputs by a configuration before, or by others.
    if (record.inputs === undefined || isOnlyRead(record)) continue;
    const wanted = { ...record.inputs, count: object.inputs["count"] === 99 ? 99 : record.inputs["count"] };
    if (canonicalJson(object.inputs) !== canonicalJson(wanted as Json))
      broken.push(
        `the undo left ${name} with ${canonicalJson(object.inputs)}, before it had ${canonicalJson(wanted as Json)}`,
      );
  }
  return broken;
}

/** No record is left but those of before, and of objects that a create only met: they stay, and are recorded. */
function checkNew(ended: Applied, before: ReadonlyMap<string, ResourceRecord>, { stack }: World): string[] {
  const names = [...stack.disk.draft.records.keys()].filter((name) => !before.has(name));
  return names
    .filter((name) => !(ended.ends[name] ?? "").endsWith("/ALREADY_EXISTS"))
    .map((name) => `the undo left ${name}, which was not there before`);
}

/** Without faults everything gets right again: applied until quiet, then destroyed. */
async function setRight(play: Play): Promise<void> {
  const { scenario, watch, world, story } = play;
  const { stack } = world;
  world.setFaults(0, "right");
  watch.unprotected = true;
  const last = scenario.steps.at(-1);
  const desired = last === undefined || last.command === "destroy" ? [] : last.resources.map(desiredOf);
  const open = desired.map((resource) => ({ ...resource, protected: false }));
  // Deadlines of calls of other machines pass.
  stack.clock.advance(7_200_000);
  play.listener?.calm();
  if (last !== undefined) await provideOutside(play, last.command === "destroy" ? [] : last.resources);
  if (!(await applyUntilQuiet(play, open))) return;
  const state = await stack.state();
  const others = { gone: watch.deletedOutside, theirs: watch.outside };
  watch.violations.push(...checkState(stack, state, others));
  for (const name of state.unknown.keys()) {
    const record = state.unknown.get(name)!.intent;
    if (record.provider === "cloud")
      watch.violations.push(`${name} stays unknown although its provider can say: ${state.unknown.get(name)!.why}`);
  }
  if (state.unknown.size > 0) {
    story.push(`unknown in the end: ${[...state.unknown.keys()].join(", ")}`);
    return;
  }
  if (state.finalizeOwed.length > 0)
    watch.violations.push(`finalizers are still owed: ${state.finalizeOwed.join(", ")}`);
  if (play.listener !== undefined) watch.violations.push(...play.listener.check(state));
  for (const object of stack.cloud.objects()) {
    const deferred = object.type === "sim.late" || object.type === "sim.slack";
    // Of what other people made nobody knows any, and what is only read from now on is not written.
    const record = state.records.get(object.name);
    const isWritten = record === undefined || !isOnlyRead(record);
    if (deferred && !object.finalized && isWritten && !watch.outside.has(object.id))
      watch.violations.push(`deferred work of ${object.name} was never done`);
  }
  const destroyed = await runCommand(
    play,
    "destroy",
    [],
    { allowReplace: [...state.records.keys()], onPlan: (planned) => watch.onPlan(planned) },
    [],
  );
  story.push(`destroy: ${describe(destroyed)}`);
  checkStored(play, []);
  await stack.clock.sleep(quietMs);
  const left = stack.cloud
    .objects()
    .filter((object) => !watch.outside.has(object.id))
    .map((object) => `${object.name} (${object.id})`);
  if (left.length > 0) watch.violations.push(`destroy left ${left.join(", ")}`);
  const records = [...(await stack.state()).records.keys()];
  if (records.length > 0) watch.violations.push(`destroy left records of ${records.join(", ")}`);
}

/** False where an order of one run does not exist. */
async function applyUntilQuiet(play: Play, desired: readonly DesiredResource[]): Promise<boolean> {
  const { watch, world, story } = play;
  const { stack } = world;
  for (let round = 1; round <= 5; round += 1) {
    const allowReplace = [...(await stack.state()).records.keys()];
    const told: unknown[] = [];
    const ended = await runCommand(
      play,
      "apply",
      desired,
      { refresh: true, allowReplace, onPlan: (planned) => watch.onPlan(planned) },
      told,
    );
    story.push(`right ${round}: ${describe(ended)}`);
    checkStored(play, told);
    await stack.clock.sleep(quietMs);
    if (ended === "refused") return false;
    if (ended === "died") throw new Error("A host died that nobody killed");
    if (ended.end !== "succeeded") continue;
    await checkQuiet(play, desired);
    return true;
  }
  if ((await stack.state()).unknown.size === 0)
    watch.violations.push("five applies without any fault do not get it right");
  return true;
}
