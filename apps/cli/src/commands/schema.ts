import { loadStack, secretsProvider, stackSchema, typeDeclarations, type TypeSchemas } from "@wfctl/config";
import { WfctlError, type Diagnostic, type JsonObject } from "@wfctl/model";
import { parseSchema, schemaSpec, type SchemaArguments } from "../arguments/schema.ts";
import type { Context } from "../context.ts";
import { describeProviders } from "../session/describe-types.ts";
import { missingPlugin } from "../session/missing-plugin.ts";
import { writeText } from "../session/write-text.ts";
import type { Command } from "./command.ts";

export const schemaCommand: Command = {
  spec: schemaSpec,
  run: (argv, context) => runSchema(parseSchema(argv), context),
};

async function runSchema(args: SchemaArguments, context: Context): Promise<number> {
  const { types, unknown, missing } = await readTypes(args, context);
  const text = args.types
    ? typeDeclarations(merged(types), unknown)
    : `${JSON.stringify(stackSchema(schemasOf(types), unknown), undefined, 2)}\n`;
  writeText(args.output, text, context);
  const [first] = missing;
  if (first === undefined) return 0;
  const plugins = missing.length === 1 ? "1 plugin" : `${missing.length} plugins`;
  const what = args.types ? "declarations" : "schema";
  throw new WfctlError(first.code, `The ${what} ${args.types ? "lack" : "lacks"} the types of ${plugins}`, {
    hint: `What the other plugins have is written. Install what is missing, and run wfctl schema again`,
    diagnostics: missing,
  });
}

/** Types by name, each with what every provider that has it says. */
type Types = ReadonlyMap<string, readonly TypeSchemas[]>;

interface KnownTypes {
  readonly types: Types;
  /** Provider modules whose plugin cannot be had. */
  readonly unknown: readonly string[];
  /** Why, once for each plugin. */
  readonly missing: readonly Diagnostic[];
}

async function readTypes(args: SchemaArguments, context: Context): Promise<KnownTypes> {
  const providers = await findProviders(args, context);
  const missing: Diagnostic[] = [];
  const described = await describeProviders({ providers }, context, args.pluginDir, (module, error) =>
    missing.push(missingPlugin(module, error)),
  );
  const unknown = providers.filter(({ name, provider }) => provider !== secretsProvider && !described.has(name));
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
  return { types, unknown: unknown.map(({ name }) => name), missing };
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
