import type {
  CompensationReport,
  EngineEvent,
  LeaseHolder,
  RecoveryReport,
  RunReport,
  RunSummary,
} from "@wfctl/engine";
import type { Diagnostic, JsonObject, Plan, ResourceRecord, RunEnd, WfctlError } from "@wfctl/model";

/** What is shown of a plan beside the plan itself. */
export interface PlanFacts {
  /** Errors: the plan cannot run. */
  readonly diagnostics: readonly Diagnostic[];
  /** Sentences beside the plan's own notes. */
  readonly notes: readonly string[];
}

/** How an apply or destroy ended. */
export interface RunFacts {
  readonly command: "apply" | "destroy";
  /** `unchanged`: there was nothing to do. `declined`: nobody said yes. */
  readonly end: RunEnd | "unchanged" | "declined";
  readonly plan: Plan;
  /** Absent where nothing ran. */
  readonly report?: RunReport;
  /** The action that failed first, by its index. */
  readonly firstFailed?: number;
  readonly durationMs: number;
  /** What the stack gives to others now, without secrets; absent where it declares nothing. */
  readonly outputs?: JsonObject;
  /** Resources whose state is not known, after all was tried. */
  readonly unknown: readonly { readonly name: string; readonly why: string }[];
  readonly exitCode: number;
}

/** How an undo by hand ended. */
export interface CompensationFacts {
  readonly report: CompensationReport;
  readonly exitCode: number;
}

export interface RecordRow {
  /** Without secrets. */
  readonly record: ResourceRecord;
  /** What the cloud says, where it was asked. */
  readonly live?: { readonly state: "there" | "gone" | "failed"; readonly text: string };
}

export interface OpenRunFacts {
  readonly id: string;
  readonly command: string;
  readonly startedAt: string;
  readonly inFlight: readonly { readonly name: string; readonly operation: string }[];
}

export interface LeaseFacts {
  readonly id: number;
  readonly holder: LeaseHolder | undefined;
  /** Whether the holder's process lives, as far as this machine can tell. */
  readonly alive: "alive" | "dead" | "unknown" | undefined;
  readonly beatAgoMs: number;
  readonly expiresInMs: number;
}

export interface StatusFacts {
  readonly stack: { readonly name: string; readonly environment: string };
  readonly location: string;
  /** Absent where there is no state yet. */
  readonly state?: {
    readonly lineage: string;
    readonly serial: number;
    readonly records: readonly RecordRow[];
    readonly unknown: readonly { readonly name: string; readonly operation: string; readonly why: string }[];
    readonly openRuns: readonly OpenRunFacts[];
    readonly finalizeOwed: readonly string[];
    readonly lastRun: RunSummary | undefined;
    readonly lease: LeaseFacts;
    /** Secrets are hidden because no key was found. */
    readonly sealed: boolean;
  };
}

export interface RecordsFacts {
  readonly stack: StatusFacts["stack"];
  readonly serial: number;
  readonly records: readonly ResourceRecord[];
  readonly unknown: readonly { readonly name: string; readonly operation: string; readonly why: string }[];
}

export interface DoctorFinding {
  readonly check: string;
  readonly severity: "error" | "warning";
  readonly problem: string;
  /** What a repair would do; absent where none helps. */
  readonly repair?: string;
}

export interface DoctorFacts {
  readonly location: string;
  /** Invariants that do not hold. */
  readonly findings: readonly DoctorFinding[];
  /** What was put right. */
  readonly repaired: readonly DoctorFinding[];
}

export interface AuditFacts {
  readonly location: string;
  /** Records that were looked at. */
  readonly records: number;
  readonly findings: readonly {
    readonly severity: "error" | "warning";
    readonly name: string;
    readonly problem: string;
  }[];
}

/**
 * Everything a command says. One implementation speaks to people, one to programs; both carry the same facts.
 * Nothing that is passed in holds a secret that may not be shown.
 */
export interface View {
  /** Something to know beside the result. */
  notice(text: string): void;
  /** What the command waits for. Never on standard output. */
  waiting(text: string): void;
  warnings(diagnostics: readonly Diagnostic[]): void;
  plan(plan: Plan, facts: PlanFacts): void;
  event(event: EngineEvent): void;
  recovery(report: RecoveryReport): void;
  run(facts: RunFacts): void;
  compensation(facts: CompensationFacts): void;
  status(facts: StatusFacts): void;
  records(facts: RecordsFacts): void;
  record(record: ResourceRecord): void;
  outputs(values: JsonObject): void;
  lease(facts: LeaseFacts): void;
  doctor(facts: DoctorFacts): void;
  audit(facts: AuditFacts): void;
  /** A change of the state that a state command has made. */
  changed(facts: { readonly command: string; readonly text: string; readonly details: JsonObject }): void;
  error(error: WfctlError): void;
  /** Ends what goes on by itself, such as progress lines. Idempotent. */
  close(): void;
}
