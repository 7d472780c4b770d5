import type { Command } from "./command.ts";
import { versionCommand } from "./version.ts";

/** A command before it is loaded: only what the list of commands shows. */
export interface CommandEntry {
  /** `state lease show`. */
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** All commands, in the order of the help. Each is loaded when it is called: what it needs costs the others nothing. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: "plan",
    summary: "Show what an apply would do, and change nothing",
    load: async () => (await import("./plan.ts")).planCommand,
  },
  {
    name: "apply",
    summary: "Bring the cloud in line with the stack file",
    load: async () => (await import("./apply.ts")).applyCommand,
  },
  {
    name: "destroy",
    summary: "Delete everything that the stack's state records",
    load: async () => (await import("./destroy.ts")).destroyCommand,
  },
  {
    name: "show",
    summary: "Show a saved plan",
    load: async () => (await import("./show.ts")).showCommand,
  },
  {
    name: "drift",
    summary: "Compare what is recorded with what is in the cloud, and change nothing",
    load: async () => (await import("./drift.ts")).driftCommand,
  },
  {
    name: "import",
    summary: "Record an object that exists as a resource of the stack, or write the configuration of all there are",
    load: async () => (await import("./import.ts")).importCommand,
  },
  {
    name: "compensate",
    summary: "Undo what a run did, as far as it can be undone",
    load: async () => (await import("./compensate.ts")).compensateCommand,
  },
  {
    name: "validate",
    summary: "Check the stack file against the schemas of its plugins, without credentials",
    load: async () => (await import("./validate.ts")).validateCommand,
  },
  {
    name: "schema",
    summary: "Write the JSON Schema of the stack file, with the types of its plugins",
    load: async () => (await import("./schema.ts")).schemaCommand,
  },
  {
    name: "convert",
    summary: "Write infra.yaml as a stack program, or a stack program as infra.yaml",
    load: async () => (await import("./convert.ts")).convertCommand,
  },
  {
    name: "status",
    summary: "Show what the state records, what is in doubt, the last run and the lease",
    load: async () => (await import("./status.ts")).statusCommand,
  },
  {
    name: "outputs",
    summary: "Print what the stack and its resources give to others",
    load: async () => (await import("./outputs.ts")).outputsCommand,
  },
  {
    name: "state list",
    summary: "List the records of the state",
    load: async () => (await import("./state-list.ts")).stateListCommand,
  },
  {
    name: "state show",
    summary: "Show one record: ids, inputs, outputs, dependencies and marks",
    load: async () => (await import("./state-show.ts")).stateShowCommand,
  },
  {
    name: "state resolve",
    summary: "Settle by hand what became of a resource that is unknown",
    load: async () => (await import("./state-resolve.ts")).stateResolveCommand,
  },
  {
    name: "state mv",
    summary: "Give a record another name, and what refers to it",
    load: async () => (await import("./state-move.ts")).stateMoveCommand,
  },
  {
    name: "state rm",
    summary: "Forget a record; its object stays in the cloud",
    load: async () => (await import("./state-remove.ts")).stateRemoveCommand,
  },
  {
    name: "state untaint",
    summary: "Lift the mark of a record, so that the next plan compares instead of replacing",
    load: async () => (await import("./state-untaint.ts")).stateUntaintCommand,
  },
  {
    name: "state doctor",
    summary: "Check the state's invariants, and repair what can be repaired",
    load: async () => (await import("./state-doctor.ts")).stateDoctorCommand,
  },
  {
    name: "state audit-secrets",
    summary: "Look for secrets that stand in clear in the state",
    load: async () => (await import("./state-audit-secrets.ts")).stateAuditSecretsCommand,
  },
  {
    name: "state lease show",
    summary: "Show who holds the lease of the stack",
    load: async () => (await import("./state-lease.ts")).stateLeaseShowCommand,
  },
  {
    name: "state lease break",
    summary: "End the lease of a holder that is gone for good",
    load: async () => (await import("./state-lease.ts")).stateLeaseBreakCommand,
  },
  {
    name: "state compact",
    summary: "Drop old closed runs from the journal and give the space back",
    load: async () => (await import("./state-compact.ts")).stateCompactCommand,
  },
  {
    name: "state rekey",
    summary: "Seal the state with a new key",
    load: async () => (await import("./state-rekey.ts")).stateRekeyCommand,
  },
  {
    name: "state import",
    summary: "Take over what another state records: of Terraform, Pulumi, upstream, or an export of wfctl",
    load: async () => (await import("./state-import.ts")).stateImportCommand,
  },
  {
    name: "state export",
    summary: "Write all records as JSON, which state import reads into an empty state",
    load: async () => (await import("./state-export.ts")).stateExportCommand,
  },
  {
    name: "plugin install",
    summary: "Install a plugin, and record in wfctl.lock what was installed",
    load: async () => (await import("./plugin-install.ts")).pluginInstallCommand,
  },
  {
    name: "plugin upgrade",
    summary: "Replace an installed plugin by a newer one, or by another source's",
    load: async () => (await import("./plugin-install.ts")).pluginUpgradeCommand,
  },
  {
    name: "plugin remove",
    summary: "Remove an installed plugin and its entry in wfctl.lock",
    load: async () => (await import("./plugin-install.ts")).pluginRemoveCommand,
  },
  {
    name: "plugin list",
    summary: "List the plugins that are there, and whether each is the one that wfctl.lock records",
    load: async () => (await import("./plugin-list.ts")).pluginListCommand,
  },
  {
    name: "plugin info",
    summary: "Show what a plugin says of itself, where it is and where it came from",
    load: async () => (await import("./plugin-info.ts")).pluginInfoCommand,
  },
  {
    name: "plugin permissions",
    summary: "Print what the credentials of a provider must be allowed to do, by resource type",
    load: async () => (await import("./plugin-info.ts")).pluginPermissionsCommand,
  },
  {
    name: "plugin verify",
    summary: "Compare the installed plugins with wfctl.lock, file by file",
    load: async () => (await import("./plugin-verify.ts")).pluginVerifyCommand,
  },
  {
    name: "plugin validate",
    summary: "Check plugin.json and the executable, and start nothing",
    load: async () => (await import("./plugin-validate.ts")).pluginValidateCommand,
  },
  {
    name: "plugin conformance",
    summary: "Run a plugin through the conformance suite",
    load: async () => (await import("./plugin-conformance.ts")).pluginConformanceCommand,
  },
  {
    name: "plugin new",
    summary: "Make a project for a plugin: TypeScript, tests, conformance, CI",
    load: async () => (await import("./plugin-new.ts")).pluginNewCommand,
  },
  {
    name: "version",
    summary: "Print the versions of wfctl, of the engine it is compatible with, and of Node",
    // It is loaded with the table: a start of its own would cost it as much as all it does.
    load: () => Promise.resolve(versionCommand),
  },
  {
    name: "help",
    summary: "Explain wfctl, or one command",
    load: async () => (await import("./help.ts")).helpCommand,
  },
];

/** Commands of upstream that are refused by name, each with what to do instead. */
export const unservedCommands: Readonly<Record<string, string>> = {
  "import-all": "wfctl import --all writes the configuration of everything that the providers list",
  logs: "Use the tools of the provider",
  bootstrap: "Nothing needs a bootstrap: the state makes itself",
  "refresh-outputs": "wfctl apply --refresh reads every object and records its outputs",
  align: "wfctl plan checks the stack file",
  test: "wfctl plan checks the stack file",
  "security-check": "Check the JSON of wfctl plan --json",
  cleanup: "wfctl destroy deletes what the state records",
  owners: "wfctl state list prints what the stack owns",
  "audit-secrets": "Secrets of the state are sealed",
  "audit-keys": "Use the tools of the provider",
  "audit-state-secrets": "Secrets of the state are sealed",
  prune: "wfctl apply deletes what the stack file no longer names",
  "rotate-and-prune": "Use the tools of the provider",
  derive: "Write the modules by hand",
};
