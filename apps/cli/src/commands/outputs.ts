import { suggestHint, type StackConfig } from "@wfctl/config";
import { WfctlError, type JsonObject, type ResourceRecord, type StackState } from "@wfctl/model";
import { outputsSpec, parseOutputs, type OutputsArguments } from "../arguments/outputs.ts";
import type { Context } from "../context.ts";
import { loadConfig } from "../session/load-config.ts";
import { locateState } from "../session/locate-state.ts";
import { openForReading } from "../session/open-state.ts";
import { evaluateOutputs } from "../session/stack-outputs.ts";
import { createView } from "../views/create-view.ts";
import { maskKeys } from "../views/mask.ts";
import type { Command } from "./command.ts";
import { stackEnv } from "../session/stack-env.ts";

export const outputsCommand: Command = {
  spec: outputsSpec,
  run: (argv, context) => runOutputs(parseOutputs(argv), context),
};

async function runOutputs(args: OutputsArguments, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json, outputFormat: args.format });
  const stack = await loadConfig(args, context, view, { needsVariables: false });
  const location = await locateState(stack, context);
  const opened = await openForReading(location, context);
  if (opened === undefined) {
    if (args.module !== undefined) throw unknownModule(args.module, []);
    view.outputs({});
    return 0;
  }
  try {
    const state = await opened.store.load();
    if (args.showSensitive && opened.key === undefined) {
      throw new WfctlError("KEY_REQUIRED", "Cannot show secret outputs: the key of the state is not on this machine", {
        hint: "Set WFCTL_KEY, WFCTL_KEY_FILE or WFCTL_PASSPHRASE, or leave -S out",
      });
    }
    view.outputs(chooseOutputs(stack, state, args, context));
    return 0;
  } finally {
    await opened.store.close();
  }
}

function chooseOutputs(stack: StackConfig, state: StackState, args: OutputsArguments, context: Context): JsonObject {
  const { showSensitive } = args;
  const outputsOf = (record: ResourceRecord): JsonObject => ({
    id: record.providerId,
    ...(showSensitive ? record.outputs : maskKeys(record.outputs, record.sensitiveOutputs)),
  });
  if (args.module !== undefined) {
    const record = state.records.get(args.module);
    if (record === undefined) throw unknownModule(args.module, [...state.records.keys()]);
    return { [record.name]: outputsOf(record) };
  }
  if (stack.outputs !== undefined && !args.all)
    return evaluateOutputs(stack, state, { env: stackEnv(stack, context), showSensitive }).values;
  const records = [...state.records.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return Object.fromEntries(records.map((record) => [record.name, outputsOf(record)]));
}

function unknownModule(name: string, known: readonly string[]): WfctlError {
  return new WfctlError("RESOURCE_UNKNOWN", `There are no outputs of "${name}": the state does not record it`, {
    hint: suggestHint(name, known, "See what there is with: wfctl state list"),
  });
}
