import { existsSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { secretsProvider, suggestHint, type StackConfig } from "@wfctl/config";
import { WfctlError, type JsonObject, type StackState } from "@wfctl/model";
import type { ImportAllArguments } from "../arguments/import.ts";
import type { Context } from "../context.ts";
import { chooseNames } from "../session/import-all/choose-names.ts";
import { fitConfig } from "../session/import-all/fit-config.ts";
import { skip, type FoundObject, type ListedObject, type SkippedObject } from "../session/import-all/found-object.ts";
import { listAll } from "../session/import-all/list-all.ts";
import { mapSome } from "../session/import-all/map-some.ts";
import { readFound } from "../session/import-all/read-found.ts";
import { writeFound, type NamedObject } from "../session/import-all/write-found.ts";
import { loadConfig } from "../session/load-config.ts";
import { locateState } from "../session/locate-state.ts";
import { openForReading } from "../session/open-state.ts";
import { createProviders, refuseOtherAccounts } from "../session/providers.ts";
import { createRunId } from "../session/runtime.ts";
import { watchInterrupts } from "../terminal/interrupts.ts";
import { createView } from "../views/create-view.ts";
import { renderFound, type FoundFacts } from "../views/human/found.ts";
import type { View } from "../views/view.ts";
import { exitCodes } from "./command.ts";

/** Writes the configuration of what the providers list and the stack does not have. State and cloud stay as they are. */
export async function runImportAll(args: ImportAllArguments, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const output = args.output === undefined || args.dryRun ? undefined : resolve(context.cwd, args.output);
  if (output !== undefined && existsSync(output)) throw outputThere(args.output as string);
  const stack = await loadConfig(args, context, view, { needsVariables: false });
  const state = await readIfThere(stack, context);
  const providers = createProviders({
    stack,
    context,
    view,
    ...(args.pluginDir === undefined ? {} : { pluginDir: args.pluginDir }),
    recorded: () => state?.providerConfigs ?? new Map(),
    secrets: { records: () => state?.records ?? new Map(), digest: () => "" },
  });
  using interrupts = watchInterrupts(context, {
    first: () => providers.pool.killAll(),
    shutdown: () => providers.pool.killAll(),
  });
  try {
    const started = await providers.startAll(chooseModules(stack, args.modules));
    refuseOtherAccounts(state?.records.values() ?? [], started);
    checkTypes(
      args,
      [...started.values()].flatMap((provider) => [...provider.resourceTypes]),
    );
    const call = { run: createRunId(Date.now()), signal: interrupts.signal };
    const listed = await listAll({ providers: [...started.values()], types: args.types, tags: args.tags, ...call });
    const isKnown = knownObjects(stack, state);
    const fresh = listed.objects.filter((object) => !isKnown(object));
    const progress = tellProgress(fresh.length, view);
    const { written, skipped } = await findConfigs(
      fresh,
      { ...call, lineage: state?.lineage, onRead: progress.step },
      stack,
      state,
    ).finally(progress.end);
    interrupts.throwIfInterrupted();
    const text = written.length === 0 ? undefined : await writeFound(written, stack);
    if (text !== undefined && output !== undefined) writeNew(output, args.output as string, text);
    const exitCode = listed.incomplete ? exitCodes.error : exitCodes.success;
    report(
      {
        stack: { name: stack.name, environment: stack.environment },
        written: written.map(({ object, name }) => ({
          name,
          type: object.type,
          provider: object.provider.module,
          id: object.providerId,
        })),
        known: listed.objects.length - fresh.length,
        skipped: [...listed.skipped, ...skipped],
        ...(output === undefined || text === undefined ? {} : { file: args.output as string }),
        dryRun: args.dryRun,
        exitCode,
      },
      text,
      args,
      context,
    );
    return exitCode;
  } finally {
    await providers.pool.shutdownAll();
    view.close();
  }
}

/** A provider may have to keep to a rate: every ten seconds a line says how far it is. */
function tellProgress(
  total: number,
  view: Pick<View, "notice">,
): { readonly step: () => void; readonly end: () => void } {
  let read = 0;
  const timer = setInterval(() => view.notice(`${read} of ${total} objects are read`), 10_000);
  timer.unref();
  return { step: () => void (read += 1), end: () => clearInterval(timer) };
}

async function readIfThere(stack: StackConfig, context: Context): Promise<StackState | undefined> {
  const opened = await openForReading(await locateState(stack, context), context);
  if (opened === undefined) return undefined;
  try {
    return await opened.store.load();
  } finally {
    await opened.store.close();
  }
}

function chooseModules(stack: StackConfig, wanted: ReadonlySet<string> | undefined): string[] {
  const modules = stack.providers.filter((module) => module.provider !== secretsProvider).map((module) => module.name);
  for (const name of wanted ?? []) {
    if (modules.includes(name)) continue;
    throw new WfctlError("USAGE", `Cannot import: --provider names "${name}", and there is no such provider module`, {
      hint: suggestHint(name, modules, "Name an iac.provider module of the stack file"),
    });
  }
  if (modules.length === 0) {
    throw new WfctlError("CONFIG_INVALID", "Cannot import: the stack has no provider module", {
      hint: "Write - {name: cloud, type: iac.provider, config: {provider: …}} under modules:",
    });
  }
  return modules.filter((name) => wanted?.has(name) !== false);
}

function checkTypes(args: ImportAllArguments, known: readonly string[]): void {
  for (const type of args.types ?? []) {
    if (known.includes(type) || known.length === 0) continue;
    throw new WfctlError("USAGE", `Cannot import: --type names "${type}", and no provider of the stack has it`, {
      hint: suggestHint(type, known, `They have ${known.join(", ")}`),
    });
  }
}

/** What the state records, or an import entry of the stack names, is no news. */
function knownObjects(stack: StackConfig, state: StackState | undefined): (object: ListedObject) => boolean {
  const key = (provider: string, type: string, id: string): string => JSON.stringify([provider, type, id]);
  const known = new Set<string>();
  for (const record of state?.records.values() ?? []) {
    for (const { provider, type, providerId } of [record, ...record.deposed])
      known.add(key(provider, type, providerId));
  }
  const byName = new Map(stack.resources.map((resource) => [resource.name, resource]));
  for (const { to, id } of stack.imports) {
    const resource = byName.get(to);
    if (resource !== undefined) known.add(key(resource.provider, resource.type, id));
  }
  return ({ provider, type, providerId }) => known.has(key(provider.module, type, providerId));
}

async function findConfigs(
  objects: readonly ListedObject[],
  call: {
    readonly run: string;
    readonly signal: AbortSignal;
    readonly lineage: string | undefined;
    readonly onRead: () => void;
  },
  stack: StackConfig,
  state: StackState | undefined,
): Promise<{ readonly written: NamedObject[]; readonly skipped: SkippedObject[] }> {
  const waiting = new Map(
    stack.resources
      .filter((resource) => state?.records.has(resource.name) !== true)
      .map((resource) => [`${resource.provider} ${resource.type} ${resource.name}`, resource.name]),
  );
  const read = await mapSome(objects, (object) => {
    const own = waiting.get(`${object.provider.module} ${object.type} ${object.name}`);
    if (own === undefined) return readFound(object, call).finally(call.onRead);
    const why = `the stack file has a resource of its name and type that is not recorded: wfctl import ${own} ${object.providerId}`;
    return Promise.resolve(skip(object, why));
  });
  const found = read.filter((each): each is FoundObject => each !== undefined && "live" in each);
  const taken = new Set([
    ...stack.resources.map((resource) => resource.name),
    ...stack.providers.map((module) => module.name),
    ...(stack.state === undefined ? [] : [stack.state.name]),
    ...(state === undefined ? [] : [...state.records.keys(), ...state.unknown.keys()]),
  ]);
  const names = chooseNames(found, taken);
  const fitted = await mapSome(found, async (object, index) => {
    const name = names[index] as string;
    const fit = await fitConfig(object, name, call);
    return "config" in fit ? { object, name, config: fit.config } : skip(object, fit.why);
  });
  return {
    written: fitted.filter((each): each is NamedObject => "config" in each),
    skipped: [...read, ...fitted].filter((each): each is SkippedObject => each !== undefined && "why" in each),
  };
}

function writeNew(path: string, shown: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw outputThere(shown);
    throw new WfctlError("USAGE", `Cannot write "${shown}"`, {
      hint: "Name a file in a folder that exists and can be written",
      cause,
    });
  }
}

function outputThere(file: string): WfctlError {
  return new WfctlError("USAGE", `Cannot write "${file}": it exists already`, {
    hint: "Name a new file; nothing is ever written over",
  });
}

function report(facts: FoundFacts, text: string | undefined, args: ImportAllArguments, context: Context): void {
  const toStdout = args.output === undefined && !args.dryRun;
  if (args.json) {
    const content = {
      schema: "wfctl/import-all/1",
      ...facts,
      ...(toStdout && text !== undefined ? { text } : {}),
    } as unknown as JsonObject;
    context.stdout.write(`${JSON.stringify(content, undefined, 2)}\n`);
    return;
  }
  if (toStdout && text !== undefined) context.stdout.write(text);
  (toStdout ? context.stderr : context.stdout).write(renderFound(facts));
}
