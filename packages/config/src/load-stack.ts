import { resolve } from "node:path";
import { buildStack } from "./build-stack.ts";
import { chooseEnvironment, findDeclaration, listEnvironments } from "./environments.ts";
import { createComponentScopes } from "./components/component-scopes.ts";
import { readComponents } from "./components/read-components.ts";
import { createFieldReader } from "./fields.ts";
import { findStackFile } from "./find-stack-file.ts";
import { readFiles } from "./read-files.ts";
import { readText } from "./read-text.ts";
import { createReporter } from "./reporter.ts";
import { readSecrets } from "./secrets.ts";
import { joinSections } from "./sections.ts";
import type { SourceFile } from "./source/source-file.ts";
import type { LoadStackOptions, LoadStackResult } from "./stack.ts";
import { chooseValues } from "./variables/choose-values.ts";
import { createValueReader, createVariableScope, type ValueReader } from "./variables/value-reader.ts";
import { readInputs, type VariableSources } from "./variables/read-inputs.ts";
import { readVariables } from "./variables/read-variables.ts";

/**
 * Reads a stack file with its imports for one environment and links it.
 * Never throws for what the user wrote: every problem is a diagnostic, all of them at once. Values of environment
 * variables are never read: they stay symbolic in the result.
 */
export async function loadStack(options: LoadStackOptions): Promise<LoadStackResult> {
  const readFile = options.readFile ?? readText;
  const cwd = resolve(options.cwd);
  const main = await findStackFile(options.path, cwd, readFile);
  if ("diagnostic" in main) return { diagnostics: [main.diagnostic], environments: [], providers: [] };

  const reporter = createReporter();
  const fields = createFieldReader(reporter);
  const { files, complete: allRead } = await readFiles(
    main,
    cwd,
    readFile,
    { environment: options.environment, twice: options.checkPrograms ?? false },
    reporter,
  );
  const components = await readComponents(files, cwd, readFile, fields, reporter);
  const complete = allRead && components.complete;
  const sources = [...files.map((file) => file.source), ...components.sources];
  const joined = joinSections(files, fields, reporter);
  let values: ValueReader | undefined;
  const scopes = createComponentScopes(components.uses, () => values as ValueReader, { fields, reporter });
  const sections = { ...joined, modules: [...joined.modules, ...scopes.modules] };
  const { secrets, generators, storeSpots } = readSecrets(files, fields, reporter);
  const environments = listEnvironments(sections);
  // Files that cannot be read may be the ones that declare environments.
  const environment =
    complete && sources[0] !== undefined
      ? chooseEnvironment(
          options.environment,
          environments,
          findDeclaration(sections, { file: sources[0], path: [] }),
          reporter,
        )
      : options.environment;
  const top = { file: sources[0] as SourceFile, path: [] };
  const given: VariableSources = options.variables ?? { required: false };
  const variables = chooseValues(
    readVariables(files, fields, reporter),
    environment === undefined ? undefined : sections.environments.get(environment),
    await readInputs(given, cwd, readFile, top, reporter),
    given.required && environment !== undefined,
    top,
    reporter,
  );
  values = createValueReader(createVariableScope(variables, scopes.output), reporter);
  const linkable = complete && environment !== undefined;
  const stack = buildStack(
    { sections, secrets, generators, storeSpots, variables, values, sources, environments, environment, linkable },
    options.env,
    fields,
    reporter,
  );
  return {
    ...(reporter.hasErrors ? {} : { stack }),
    environments,
    providers: stack.providers.filter(({ provider }) => provider !== ""),
    diagnostics: reporter.sorted(sources),
  };
}
