import type { CommandSpec } from "./command-spec.ts";
import { parseFlags, usage, type ParsedFlags } from "./parse-flags.ts";
import {
  jsonFlag,
  pluginFlags,
  readPlugin,
  readStackFlags,
  refuseBeside,
  stackFlags,
  type PluginArguments,
  type StackArguments,
} from "./shared-flags.ts";

/** One object by its id. */
export interface ImportArguments extends StackArguments, PluginArguments {
  readonly json: boolean;
  readonly name: string;
  readonly id: string;
  readonly newState: boolean;
}

/** Everything that the providers list. */
export interface ImportAllArguments extends StackArguments, PluginArguments {
  readonly json: boolean;
  /** Objects that carry every one of these. */
  readonly tags: readonly string[];
  /** Undefined: all types. */
  readonly types?: ReadonlySet<string>;
  /** Provider modules; undefined: all. */
  readonly modules?: ReadonlySet<string>;
  /** File to write. @default standard output */
  readonly output?: string;
  /** Write nothing. */
  readonly dryRun: boolean;
}

export const importSpec: CommandSpec = {
  path: ["import"],
  summary: "Record an object that exists as a resource of the stack, or write the configuration of all there are",
  details: [
    "NAME and ID: the stack file has the resource already. The object is read by its id and nothing of it is changed; the " +
      "next plan compares it with the stack file. The same can be written into the stack file as an import entry.",
    "--all and --tag: everything that the providers list, and that is not recorded, is written as YAML: resources, and import " +
      "entries with their ids. State and cloud stay as they are. Name the file under imports: of the stack file; then plan " +
      "shows the imports, and apply records them. What cannot be written whole is left out, with the reason.",
  ],
  positionals: [
    { name: "NAME", text: "name of the resource in the stack file", required: false },
    { name: "ID", text: "the provider's id of the object", required: false },
  ],
  flags: [
    ...stackFlags,
    ...pluginFlags,
    jsonFlag,
    { name: "new-state", text: "allow a new state directory where CI is set" },
    { name: "all", text: "write the configuration of everything that the providers list" },
    {
      name: "tag",
      value: "TAG",
      repeated: true,
      text: "of what carries this tag, such as KEY=VALUE; repeated: every one",
    },
    { name: "type", value: "TYPES", list: true, text: "of these resource types only" },
    { name: "provider", value: "NAMES", list: true, text: "of these provider modules only" },
    { name: "out", short: "o", value: "FILE", text: "write to this new file (standard output)" },
    { name: "dry-run", text: "list what would be written, and write nothing" },
  ],
  unserved: { name: "Write wfctl import NAME ID", id: "Write wfctl import NAME ID", output: "Write --out FILE" },
};

export function parseImport(
  argv: readonly string[],
): { readonly one: ImportArguments } | { readonly all: ImportAllArguments } {
  const flags = parseFlags(importSpec, argv);
  const shared = { ...readStackFlags(flags), ...readPlugin(flags), json: flags.isSet("json") };
  if (flags.isSet("all") || flags.texts("tag").length > 0) return { all: { ...shared, ...readAll(flags) } };
  for (const name of ["type", "provider", "out", "dry-run"]) {
    if (!flags.isSet(name) && flags.text(name) === undefined) continue;
    throw usage(importSpec, `--${name} needs --all or --tag`);
  }
  const [name, id] = flags.positionals;
  if (name === undefined || id === undefined) {
    const missing = name === undefined ? "NAME and ID are" : "ID is";
    throw usage(importSpec, `${missing} missing`, "Write wfctl import NAME ID, or wfctl import --all");
  }
  return { one: { ...shared, name, id, newState: flags.isSet("new-state") } };
}

function readAll(flags: ParsedFlags): Omit<ImportAllArguments, keyof StackArguments | "pluginDir" | "json"> {
  const decider = flags.isSet("all") ? "all" : "tag";
  if (flags.positionals.length > 0) {
    throw usage(importSpec, `"${flags.positionals[0]}" and --${decider} exclude each other`);
  }
  refuseBeside(importSpec, flags, decider, ["new-state"]);
  const types = flags.names("type");
  const modules = flags.names("provider");
  const output = flags.text("out");
  if (output !== undefined && !/\.ya?ml$/i.test(output)) {
    throw usage(importSpec, `--out is "${output}", expected a file in YAML`, "Write --out imported.yaml");
  }
  return {
    tags: flags.texts("tag"),
    ...(types === undefined ? {} : { types }),
    ...(modules === undefined ? {} : { modules }),
    ...(output === undefined ? {} : { output }),
    dryRun: flags.isSet("dry-run"),
  };
}
