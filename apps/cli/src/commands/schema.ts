import { loadStack, stackSchema, typeDeclarations, type TypeSchemas } from "@wfctl/config";
import { WfctlError, type JsonObject } from "@wfctl/model";
import { parseSchema, schemaSpec, type SchemaArguments } from "../arguments/schema.ts";
import type { Context } from "../context.ts";
import { describeProviders } from "../session/describe-types.ts";
import { writeText } from "../session/write-text.ts";
import type { Command } from "./command.ts";

export const schemaCommand: Command = {
  spec: schemaSpec,
  run: (argv, context) => runSchema(parseSchema(argv), context),
};

async function runSchema(args: SchemaArguments, context: Context): Promise<number> {
  const types = await readTypes(args, context);
  const text = args.types
    ? typeDeclarations(merged(types))
    : `${JSON.stringify(stackSchema(schemasOf(types)), undefined, 2)}\n`;
  writeText(args.output, text, context);
  return 0;
}

/** Types by name, each with what every provider that has it says. */
type Types = ReadonlyMap<string, readonly TypeSchemas[]>;

async function readTypes(args: SchemaArguments, context: Context): Promise<Types> {
  const providers = await findProviders(args, context);
  const described = await describeProviders({ providers }, context, args.pluginDir);
  const types = new Map<string, TypeSchemas[]>();
  for (const description of new Set(described.values())) {
    for (const type of description.resourceTypes) {
      const traits = description.traits(type);
      const schemas: TypeSchemas = {
        ...(traits?.schema === undefined ? {} : { config: traits.schema }),
        ...(traits?.outputs === undefined ? {} : { outputs: traits.outputs }),
      };
      types.set(type, [...(types.get(type) ?? []), schemas]);
    }
  }
  return types;
}

/** The schema helps to mend a file, so a file with errors is no error: of each environment what can be read is taken. */
async function findProviders(
  args: SchemaArguments,
  context: Context,
): Promise<NonNullable<Awaited<ReturnType<typeof loadStack>>["stack"]>["providers"]> {
  const options = { cwd: context.cwd, ...(args.config === undefined ? {} : { path: args.config }) };
  const environment = args.environment === undefined ? {} : { environment: args.environment };
  const { stack, diagnostics, providers } = await loadStack({ ...options, ...environment });
  if (stack !== undefined) return stack.providers;
  const missing = diagnostics.find((diagnostic) => diagnostic.code === "CONFIG_NOT_FOUND");
  if (missing !== undefined && args.config !== undefined) {
    throw new WfctlError("CONFIG_NOT_FOUND", missing.summary, missing.hint === undefined ? {} : { hint: missing.hint });
  }
  return providers;
}

/** A type that several providers have takes what any of them takes. */
function schemasOf(types: Types): ReadonlyMap<string, readonly JsonObject[]> {
  return new Map(
    [...types].map(([type, all]) => [
      type,
      // One that says nothing takes everything.
      all.some(({ config }) => config === undefined) ? [] : all.map(({ config }) => config as JsonObject),
    ]),
  );
}

function merged(types: Types): ReadonlyMap<string, TypeSchemas> {
  return new Map(
    [...types].map(([type, all]) => {
      const [only, second] = all;
      if (only !== undefined && second === undefined) return [type, only];
      const join = (schemas: readonly (JsonObject | undefined)[]): JsonObject | undefined =>
        schemas.includes(undefined) ? undefined : { anyOf: schemas as readonly JsonObject[] };
      const config = join(all.map((one) => one.config));
      const outputs = join(all.map((one) => one.outputs));
      return [type, { ...(config === undefined ? {} : { config }), ...(outputs === undefined ? {} : { outputs }) }];
    }),
  );
}
