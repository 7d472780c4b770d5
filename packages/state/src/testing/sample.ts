import type { LeaseHolder } from "@wfctl/engine";
import type { Intent, JournalEvent, Outcome, ResourceRecord, RunHeader } from "@wfctl/model";

const time = "2026-01-01T00:00:00.000Z";

/** Plausible values for tests, each part replaceable. */
export function sampleRecord(name: string, parts: Partial<ResourceRecord> = {}): ResourceRecord {
  return {
    name,
    type: "infra.queue",
    provider: "cloud",
    providerName: "fake",
    providerVersion: "1.0.0",
    providerId: `id-${name}`,
    inputs: { size: 1 },
    outputs: { url: `https://${name}.example` },
    sensitiveInputs: [],
    sensitiveOutputs: [],
    dependencies: [],
    fingerprint: "",
    protected: false,
    retain: false,
    createdByUs: true,
    deposed: [],
    createdAt: time,
    updatedAt: time,
    run: "run-1",
    ...parts,
  };
}

export function sampleHeader(id: string, actions: readonly string[], parts: Partial<RunHeader> = {}): RunHeader {
  return {
    id,
    command: "apply",
    planId: `plan-${id}`,
    planDigest: "digest",
    onFailure: "continue",
    actions: actions.map((name, index) => ({ index, kind: "create", name, type: "infra.queue", provider: "cloud" })),
    startedAt: time,
    user: "someone",
    host: "somewhere",
    fence: 1,
    engineVersion: "0.1.0",
    ...parts,
  };
}

export function sampleIntent(run: string, action: number, name: string, parts: Partial<Intent> = {}): Intent {
  return {
    run,
    action,
    half: "main",
    phase: "apply",
    operation: "create",
    name,
    type: "infra.queue",
    provider: "cloud",
    providerName: "fake",
    providerVersion: "1.0.0",
    inputs: { size: 1 },
    sensitiveInputs: [],
    clientToken: `token-${run}-${action}`,
    attempt: 1,
    sentAt: time,
    deadlineAt: time,
    ...parts,
  };
}

export function sampleOutcome(action: number, parts: Partial<Outcome> = {}): Outcome {
  return { action, status: "SUCCESS", attempts: 1, durationMs: 5, ...parts };
}

/** A run that starts, creates what it names, and closes; one list of events per commit. */
export function sampleRun(id: string, names: readonly string[], at: string = time): JournalEvent[][] {
  return [
    [{ kind: "run-started", run: sampleHeader(id, names) }],
    ...names.flatMap((name, action): JournalEvent[][] => [
      [{ kind: "intent", intent: sampleIntent(id, action, name) }],
      [{ kind: "outcome", run: id, outcome: sampleOutcome(action), record: { put: sampleRecord(name, { run: id }) } }],
    ]),
    [{ kind: "run-closed", run: id, end: "succeeded", at }],
  ];
}

export function sampleHolder(parts: Partial<LeaseHolder> = {}): LeaseHolder {
  return {
    host: "somewhere",
    bootId: "boot-1",
    pidNamespace: "pid:[1]",
    pid: 1,
    startTime: "1",
    command: "wfctl apply",
    user: "someone",
    since: time,
    ...parts,
  };
}
