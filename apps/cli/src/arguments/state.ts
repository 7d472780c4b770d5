import type { CommandSpec, PositionalSpec } from "./command-spec.ts";
import { parseFlags, usage } from "./parse-flags.ts";
import {
  approveFlag,
  jsonFlag,
  pluginFlags,
  readPlugin,
  readStackFlags,
  sensitiveFlag,
  stackFlags,
  type PluginArguments,
  type StackArguments,
} from "./shared-flags.ts";

export interface StateArguments extends StackArguments {
  readonly json: boolean;
}

const nameArgument: PositionalSpec = { name: "NAME", text: "name of the resource", required: true };
const readFlags = [...stackFlags, jsonFlag];
const writeFlags = [...stackFlags, ...pluginFlags, jsonFlag];

export const stateListSpec: CommandSpec = {
  path: ["state", "list"],
  summary: "List the records of the state",
  flags: readFlags,
};

export const stateShowSpec: CommandSpec = {
  path: ["state", "show"],
  summary: "Show one record: ids, inputs, outputs, dependencies and marks",
  positionals: [nameArgument],
  flags: [...readFlags, sensitiveFlag],
};

export const stateResolveSpec: CommandSpec = {
  path: ["state", "resolve"],
  summary: "Settle by hand what became of a resource that is unknown",
  details: [
    "For a resource whose last call ended without an answer that any run could find. Look at the cloud, then say what is there. With --id the object is read before it is recorded.",
  ],
  positionals: [nameArgument],
  flags: [
    ...writeFlags,
    { name: "id", value: "ID", text: "the object exists and has this provider id" },
    { name: "absent", text: "the object does not exist" },
  ],
};

export const stateDoctorSpec: CommandSpec = {
  path: ["state", "doctor"],
  summary: "Check the state's invariants, and repair what can be repaired",
  details: [
    "Looking needs no key and changes nothing. With --repair it takes the lease, does what it has found, and reads back the outcomes that could not be recorded when they happened.",
  ],
  flags: [...readFlags, { name: "repair", text: "do what the findings say" }],
};

export const stateAuditSecretsSpec: CommandSpec = {
  path: ["state", "audit-secrets"],
  summary: "Look for secrets that stand in clear in the state",
  details: [
    "Each known secret is searched for in what can be read without the key and in the files of a local state. Outputs that look secret and are not marked so by their provider are listed as warnings. Changes nothing.",
  ],
  flags: readFlags,
};

export const stateUntaintSpec: CommandSpec = {
  path: ["state", "untaint"],
  summary: "Lift the mark of a record, so that the next plan compares instead of replacing",
  positionals: [nameArgument],
  flags: writeFlags,
};

export const stateLeaseShowSpec: CommandSpec = {
  path: ["state", "lease", "show"],
  summary: "Show who holds the lease of the stack",
  flags: readFlags,
};

export const stateLeaseBreakSpec: CommandSpec = {
  path: ["state", "lease", "break"],
  summary: "End the lease of a holder that is gone for good",
  details: ["Its holder, if it lives after all, fails at its next write. The id is the one that lease show prints."],
  positionals: [{ name: "ID", text: "id of the lease, as lease show prints it", required: true }],
  flags: readFlags,
};

export const stateCompactSpec: CommandSpec = {
  path: ["state", "compact"],
  summary: "Drop old closed runs from the journal and give the space back",
  flags: writeFlags,
};

export const stateRekeySpec: CommandSpec = {
  path: ["state", "rekey"],
  summary: "Seal the state with a new key",
  details: [
    "Without --drop-secrets the key in use opens the state and WFCTL_NEW_KEY or a new key file seals it. With it, secret values that no key opens any more are dropped, and the next plan reads them again.",
  ],
  flags: [...stackFlags, jsonFlag, approveFlag, { name: "drop-secrets", text: "the key is lost: drop what it sealed" }],
};

export const stateImportSpec: CommandSpec = {
  path: ["state", "import"],
  summary: "Take over what another state records: of Terraform, Pulumi, upstream, or an export of wfctl",
  details: [
    "FILE is a terraform.tfstate (version 4), the output of pulumi stack export (version 3), or of wfctl state export; a folder holds upstream's records. Nothing that is recorded is changed, and the other tool's state is only read.",
    "Objects of Terraform and Pulumi are found by their ids and read from the cloud: no value of their state is taken over. What the stack file does not name is kept in the cloud when the next apply forgets it. A second run imports what is missing.",
  ],
  positionals: [{ name: "FILE", text: "the file, where --from says tfstate or pulumi", required: false }],
  flags: [
    ...writeFlags,
    { name: "from", value: "FILE", text: "state file, or folder with upstream's records" },
    { name: "dry-run", text: "list what would be imported, and what not and why; start nothing and change nothing" },
    {
      name: "write",
      value: "FILE",
      text: "write what the stack file does not name into this new file, to be named under imports: of it",
    },
    {
      name: "provider",
      value: "FOREIGN=MODULE",
      repeated: true,
      text: "module that stands for a provider of the other tool, such as aws.west=cloud-west",
    },
    { name: "new-state", text: "allow a new state directory where CI is set" },
  ],
  unserved: { source: "Write --from FILE" },
};

export const stateExportSpec: CommandSpec = {
  path: ["state", "export"],
  summary: "Write all records as JSON, which state import reads into an empty state",
  details: ["Secrets are left out unless --show-sensitive is given. The format is told in docs/state-stores.md."],
  flags: [
    ...stackFlags,
    { name: "out", short: "o", value: "FILE", text: "where to write it; default: standard output" },
    sensitiveFlag,
  ],
  unserved: { format: "Leave it out: the format is wfctl's own", output: "Write --out FILE" },
};

export function parseStateRead(spec: CommandSpec, argv: readonly string[]): StateArguments {
  const flags = parseFlags(spec, argv);
  return { ...readStackFlags(flags), json: flags.isSet("json") };
}

export function parseStateShow(argv: readonly string[]): StateArguments & { name: string; showSensitive: boolean } {
  const flags = parseFlags(stateShowSpec, argv);
  return {
    ...readStackFlags(flags),
    json: flags.isSet("json"),
    name: flags.positionals[0] as string,
    showSensitive: flags.isSet("show-sensitive"),
  };
}

export function parseStateDoctor(argv: readonly string[]): StateArguments & { repair: boolean } {
  const flags = parseFlags(stateDoctorSpec, argv);
  return { ...readStackFlags(flags), json: flags.isSet("json"), repair: flags.isSet("repair") };
}

export interface StateNameArguments extends StateArguments, PluginArguments {
  readonly name: string;
}

export function parseStateUntaint(argv: readonly string[]): StateNameArguments {
  const flags = parseFlags(stateUntaintSpec, argv);
  return {
    ...readStackFlags(flags),
    ...readPlugin(flags),
    json: flags.isSet("json"),
    name: flags.positionals[0] as string,
  };
}

export type Resolution = { readonly id: string } | { readonly absent: true };

export function parseStateResolve(argv: readonly string[]): StateNameArguments & { resolution: Resolution } {
  const flags = parseFlags(stateResolveSpec, argv);
  const id = flags.text("id");
  const absent = flags.isSet("absent");
  if ((id === undefined) === !absent) throw usage(stateResolveSpec, "expected one of --id ID and --absent");
  return {
    ...readStackFlags(flags),
    ...readPlugin(flags),
    json: flags.isSet("json"),
    name: flags.positionals[0] as string,
    resolution: id === undefined ? { absent: true } : { id },
  };
}

export function parseStateLeaseBreak(argv: readonly string[]): StateArguments & { id: number } {
  const flags = parseFlags(stateLeaseBreakSpec, argv);
  const text = flags.positionals[0] as string;
  if (!/^\d{1,15}$/.test(text)) throw usage(stateLeaseBreakSpec, `the id is "${text}", expected a number`);
  return { ...readStackFlags(flags), json: flags.isSet("json"), id: Number(text) };
}

export function parseStateCompact(argv: readonly string[]): StateArguments & PluginArguments {
  const flags = parseFlags(stateCompactSpec, argv);
  return { ...readStackFlags(flags), ...readPlugin(flags), json: flags.isSet("json") };
}

export function parseStateRekey(
  argv: readonly string[],
): StateArguments & { dropSecrets: boolean; autoApprove: boolean } {
  const flags = parseFlags(stateRekeySpec, argv);
  return {
    ...readStackFlags(flags),
    json: flags.isSet("json"),
    dropSecrets: flags.isSet("drop-secrets"),
    autoApprove: flags.isSet("auto-approve"),
  };
}

export interface StateImportArguments extends StateArguments, PluginArguments {
  readonly from: string;
  readonly dryRun: boolean;
  /** New file for the configuration of what the stack file does not name. */
  readonly write?: string;
  /** Modules by the other tool's providers. */
  readonly providers: ReadonlyMap<string, string>;
  readonly newState: boolean;
}

export function parseStateImport(argv: readonly string[]): StateImportArguments {
  const flags = parseFlags(stateImportSpec, argv);
  const providers = new Map<string, string>();
  for (const text of flags.texts("provider")) {
    const [, foreign, module] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (foreign === undefined || module === undefined) {
      throw usage(stateImportSpec, `--provider is "${text}", expected FOREIGN=MODULE, such as aws.west=cloud-west`);
    }
    if (providers.has(foreign)) throw usage(stateImportSpec, `--provider names "${foreign}" twice`);
    providers.set(foreign, module);
  }
  const dryRun = flags.isSet("dry-run");
  const write = flags.text("write");
  if (dryRun && write !== undefined) throw usage(stateImportSpec, "--write and --dry-run exclude each other");
  return {
    ...readStackFlags(flags),
    ...readPlugin(flags),
    json: flags.isSet("json"),
    from: readFrom(flags.text("from"), flags.positionals[0]),
    dryRun,
    ...(write === undefined ? {} : { write }),
    providers,
    newState: flags.isSet("new-state"),
  };
}

/** `--from FILE`; upstream writes `--from tfstate FILE`. */
function readFrom(from: string | undefined, positional: string | undefined): string {
  const isKind = from === "tfstate" || from === "pulumi";
  if (isKind && positional !== undefined) return positional;
  if (isKind) throw usage(stateImportSpec, `--from ${from} needs a file`, `Write --from ${from} FILE, or --from FILE`);
  if (from !== undefined && positional !== undefined) {
    throw usage(stateImportSpec, `two files are given, "${from}" and "${positional}"`);
  }
  const file = from ?? positional;
  if (file !== undefined) return file;
  throw usage(stateImportSpec, "--from is missing: state file, or folder with upstream's records");
}

export function parseStateExport(argv: readonly string[]): StateArguments & { out?: string; showSensitive: boolean } {
  const flags = parseFlags(stateExportSpec, argv);
  const out = flags.text("out");
  return {
    ...readStackFlags(flags),
    json: false,
    ...(out === undefined ? {} : { out }),
    showSensitive: flags.isSet("show-sensitive"),
  };
}
