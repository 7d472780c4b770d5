import { suggestHint, type StackConfig } from "@wfctl/config";
import { ask, dependenciesOf, type Provider } from "@wfctl/engine";
import { WfctlError, type DesiredResource, type ResourceRecord } from "@wfctl/model";
import { importSpec, parseImport, type ImportArguments } from "../arguments/import.ts";
import type { Context } from "../context.ts";
import { commitAsRun } from "../session/change-state.ts";
import { loadConfig } from "../session/load-config.ts";
import { locateState } from "../session/locate-state.ts";
import { openOrCreate } from "../session/open-state.ts";
import { refuseOtherAccounts } from "../session/providers.ts";
import { recordFound } from "../session/record-found.ts";
import { createRunId, realClock, realRandom } from "../session/runtime.ts";
import { beginWriting } from "../session/writing-session.ts";
import { createView } from "../views/create-view.ts";
import type { Command } from "./command.ts";

export const importCommand: Command = {
  spec: importSpec,
  async run(argv, context) {
    const args = parseImport(argv);
    if ("one" in args) return runImport(args.one, context);
    const { runImportAll } = await import("./import-all.ts");
    return runImportAll(args.all, context);
  },
};

async function runImport(args: ImportArguments, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const stack = await loadConfig(args, context, view, { needsVariables: false });
  const resource = findResource(stack, args.name);
  const opened = await openOrCreate(await locateState(stack, context), context, view, {
    stack,
    newState: args.newState,
  });
  await using session = await beginWriting({
    command: "wfctl import",
    stack,
    opened,
    context,
    view,
    ...(args.pluginDir === undefined ? {} : { pluginDir: args.pluginDir }),
  });
  const { records, unknown } = session.state;
  if (records.has(args.name) || unknown.has(args.name)) {
    throw new WfctlError("USAGE", `Cannot import "${args.name}": the state has it already`, {
      hint: `Look at it with: wfctl state show ${args.name}`,
    });
  }
  refuseHeld(records.values(), resource, args.id);
  const started = await session.providers.startAll([resource.provider]);
  refuseOtherAccounts(records.values(), started);
  const provider = started.get(resource.provider) as Provider;
  const nowMs = Date.now();
  const { type } = resource;
  const caller = {
    clock: realClock,
    random: realRandom,
    runId: createRunId(nowMs),
    signal: session.interrupts.signal,
  };
  const id = await ask(caller, resource, async (options) => provider.importId?.(type, args.id, options) ?? args.id);
  if (id !== undefined && id !== args.id) refuseHeld(records.values(), resource, id);
  const live =
    id === undefined
      ? undefined
      : await ask(caller, resource, (options) => provider.read({ name: resource.name, type, providerId: id }, options));
  if (live === undefined) {
    throw new WfctlError(
      "NOT_FOUND",
      `Cannot import "${args.name}": there is no ${resource.type} with id "${args.id}"`,
      {
        hint: "Correct the id; nothing was recorded",
      },
    );
  }
  if (live.providerId !== "" && live.providerId !== id) refuseHeld(records.values(), resource, live.providerId);
  const record = recordFound(
    {
      name: resource.name,
      type,
      id: id ?? args.id,
      live,
      dependencies: dependenciesOf(resource),
      protected: resource.protected,
      retain: resource.lifecycle.retain === true || resource.existing,
      mark: "imported",
      at: new Date(nowMs).toISOString(),
    },
    provider,
  );
  const config = session.providers.configs.get(resource.provider);
  await commitAsRun(
    session,
    "import",
    (run) => [
      ...(config === undefined
        ? []
        : [
            { kind: "provider-config", provider: resource.provider, name: config.name, config: config.config } as const,
          ]),
      {
        kind: "outcome",
        run,
        outcome: { action: 0, status: "SUCCESS", attempts: 0, durationMs: 0 },
        record: { put: { ...record, run } },
      },
    ],
    [{ index: 0, kind: "import", name: resource.name, type, provider: resource.provider }],
  );
  view.changed({
    command: "import",
    text: `"${record.name}" is recorded with id ${record.providerId}. The next plan compares it with the stack file.`,
    details: { name: record.name, type: record.type, id: record.providerId },
  });
  return 0;
}

function refuseHeld(records: Iterable<ResourceRecord>, resource: DesiredResource, id: string): void {
  for (const record of records) {
    if (record.providerId !== id || record.type !== resource.type || record.provider !== resource.provider) continue;
    throw new WfctlError("USAGE", `Cannot import "${id}": the state records it as "${record.name}" already`, {
      hint: `Rename it with: wfctl state mv ${record.name} ${resource.name}`,
    });
  }
}

function findResource(stack: StackConfig, name: string): DesiredResource {
  const resource = stack.resources.find((candidate) => candidate.name === name);
  if (resource !== undefined) return resource;
  throw new WfctlError("CONFIG_INVALID", `Cannot import "${name}": the stack file has no such resource`, {
    hint: suggestHint(
      name,
      stack.resources.map((candidate) => candidate.name),
      "Write the resource into the stack file first",
    ),
  });
}
