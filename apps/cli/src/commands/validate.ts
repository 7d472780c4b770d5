import { loadStack, type StackConfig } from "@wfctl/config";
import { WfctlError, type Diagnostic } from "@wfctl/model";
import { parseValidate, validateSpec, type ValidateArguments } from "../arguments/validate.ts";
import type { Context } from "../context.ts";
import { checkConfig, checkType } from "../session/check-config.ts";
import { checkReferences } from "../session/check-references.ts";
import { describeProviders } from "../session/describe-types.ts";
import { missingPlugin } from "../session/missing-plugin.ts";
import { createView } from "../views/create-view.ts";
import { exitCodes, type Command } from "./command.ts";

export const validateCommand: Command = {
  spec: validateSpec,
  run: (argv, context) => runValidate(parseValidate(argv), context),
};

interface Checked {
  readonly environments: readonly string[];
  readonly resources: number;
  readonly diagnostics: readonly Diagnostic[];
}

async function runValidate(args: ValidateArguments, context: Context): Promise<number> {
  const view = await createView(context, { json: args.json });
  const { environments, resources, diagnostics } = await check(args, context);
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  if (args.json) {
    const content = { schema: "wfctl/validate/1", valid: errors.length === 0, environments, resources, diagnostics };
    context.stdout.write(`${JSON.stringify(content, undefined, 2)}\n`);
    return errors.length === 0 ? exitCodes.success : exitCodes.error;
  }
  if (errors.length > 0) {
    const found = errors.length === 1 ? "1 error" : `${errors.length} errors`;
    throw new WfctlError(errors[0]?.code ?? "CONFIG_INVALID", `The configuration is not valid: it has ${found}`, {
      diagnostics,
    });
  }
  view.warnings(diagnostics);
  const where =
    environments.length === 1 ? `environment ${environments[0]}` : `environments ${environments.join(", ")}`;
  context.stdout.write(
    `The configuration is valid: ${resources} ${resources === 1 ? "resource" : "resources"}, ${where}\n`,
  );
  return exitCodes.success;
}

async function check(args: ValidateArguments, context: Context): Promise<Checked> {
  const load = (environment: string | undefined): ReturnType<typeof loadStack> =>
    loadStack({
      cwd: context.cwd,
      ...(args.config === undefined ? {} : { path: args.config }),
      ...(environment === undefined ? {} : { environment }),
      checkPrograms: true,
      variables: { env: context.env, files: args.varFiles ?? [], assignments: args.vars ?? [], required: false },
    });
  const first = await load(args.environment);
  const wanted = args.environment === undefined ? first.environments : [];
  const loaded = wanted.length === 0 ? [first] : await Promise.all(wanted.map(load));
  const stacks = loaded.flatMap(({ stack }) => (stack === undefined ? [] : [stack]));
  const diagnostics = loaded.flatMap((result) => result.diagnostics);
  // What cannot be read need not be compared with schemas.
  if (stacks.length === loaded.length) {
    // What is wrong with the stack file beside a plugin that cannot be had is told all the same.
    const described = await describeProviders(allProviders(stacks), context, args.pluginDir, (module, error) =>
      diagnostics.push(missingPlugin(module, error)),
    );
    for (const stack of stacks) {
      for (const resource of stack.resources) {
        const provider = described.get(resource.provider);
        const named = provider && { name: provider.provider, resourceTypes: provider.resourceTypes };
        diagnostics.push(...checkType(resource, stack, named), ...checkConfig(resource, stack, provider));
      }
      diagnostics.push(...checkReferences({ stack, providers: described }));
    }
  }
  return {
    environments: stacks.map((stack) => stack.environment),
    resources: new Set(stacks.flatMap((stack) => stack.resources.map((resource) => resource.name))).size,
    diagnostics: distinct(diagnostics),
  };
}

function allProviders(stacks: readonly StackConfig[]): Pick<StackConfig, "providers"> {
  const byName = new Map(stacks.flatMap((stack) => stack.providers.map((module) => [module.name, module] as const)));
  return { providers: [...byName.values()] };
}

function distinct(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return [...new Map(diagnostics.map((diagnostic) => [JSON.stringify(diagnostic), diagnostic])).values()];
}
