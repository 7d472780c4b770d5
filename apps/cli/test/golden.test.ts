import type { EngineEvent } from "@wfctl/engine";
import { WfctlError, type ResourceRecord } from "@wfctl/model";
import { describe, expect, test } from "vitest";
import { maskPlan } from "../src/views/mask.ts";
import { maskRecord } from "../src/views/mask-record.ts";
import type { StatusFacts, View } from "../src/views/view.ts";
import { printed, shown } from "./run-view.ts";
import { failedRun, samplePlan, sampleSecrets, succeededRun, unknownRun } from "./sample-plan.ts";

const plan = maskPlan(samplePlan, sampleSecrets);
const facts = {
  diagnostics: [
    {
      severity: "error",
      code: "PROTECTED",
      summary: 'Cannot delete "old": it is protected',
      hint: "Lift it with --allow-replace=old",
      address: "old",
      source: { file: "infra.yaml", line: 3, column: 7 },
    },
  ] as const,
  notes: ["Run r-1 has not ended."],
};

const record: ResourceRecord = {
  name: "db",
  type: "infra.database",
  provider: "cloud",
  providerName: "aws",
  providerVersion: "1.2.0",
  providerIdentity: "123456789012/eu-west-1",
  providerId: "db-1",
  inputs: { engine: "pg", password: "never shown" },
  outputs: { host: "db.example", uri: "never shown either" },
  sensitiveInputs: ["/password"],
  sensitiveOutputs: ["uri"],
  dependencies: ["net"],
  fingerprint: "f",
  mark: "dirty",
  markReason: "its last update did not end",
  protected: true,
  retain: false,
  createdByUs: true,
  deposed: [
    {
      providerId: "db-0",
      type: "infra.database",
      provider: "cloud",
      outputs: {},
      sensitiveOutputs: [],
      dependencies: [],
      sinceRun: "r-0",
    },
  ],
  createdAt: "2025-01-01T00:00:00.000Z",
  updatedAt: "2025-01-02T00:00:00.000Z",
  run: "r-0",
};

const status: StatusFacts = {
  stack: { name: "shop", environment: "prod" },
  location: "/srv/shop/.wfctl/state/shop.prod.db",
  state: {
    lineage: "lineage-1",
    serial: 12,
    records: [{ record: maskRecord(record), live: { state: "there", text: "running" } }],
    unknown: [{ name: "api", operation: "create", why: "the provider did not answer" }],
    openRuns: [
      {
        id: "r-9",
        command: "apply",
        startedAt: "2025-01-31T00:00:00.000Z",
        inFlight: [{ name: "cache", operation: "create" }],
      },
    ],
    finalizeOwed: ["cloud"],
    lastRun: {
      header: {
        id: "r-9",
        command: "apply",
        planId: "p",
        planDigest: "d",
        onFailure: "continue",
        actionCount: 3,
        startedAt: "2025-01-31T00:00:00.000Z",
        user: "ada",
        host: "deck",
        fence: 7,
        engineVersion: "0.1.0",
      },
    },
    lease: {
      id: 7,
      holder: {
        host: "deck",
        bootId: "b",
        pidNamespace: "n",
        pid: 4242,
        startTime: "1",
        command: "wfctl apply -e prod",
        user: "ada",
        since: "2025-01-31T00:00:00.000Z",
      },
      alive: "dead",
      beatAgoMs: 12_000,
      expiresInMs: 18_000,
    },
    sealed: true,
  },
};

const events: readonly EngineEvent[] = [
  { event: "run-started", run: "r-1", actions: 3 },
  { event: "action-started", action: 0, half: "main", kind: "create", name: "cache", type: "infra.cache" },
  { event: "action-retry", action: 0, name: "cache", attempt: 2, afterMs: 1500, why: "throttled" },
  {
    event: "action-done",
    action: 0,
    name: "cache",
    kind: "create",
    outcome: { action: 0, status: "SUCCESS", attempts: 2, durationMs: 1700 },
  },
  {
    event: "action-done",
    action: 1,
    name: "api",
    kind: "update",
    outcome: {
      action: 1,
      status: "ERROR",
      code: "FORBIDDEN",
      message: "not \u001B[31mallowed",
      attempts: 1,
      durationMs: 10,
    },
  },
  {
    event: "action-done",
    action: 2,
    name: "x",
    kind: "delete",
    outcome: { action: 2, status: "SKIPPED", code: "RUN_STOPPED", attempts: 0, durationMs: 0 },
  },
  { event: "recovery", run: "r-0", name: "db", operation: "create", result: "SUCCESS", message: "the object is there" },
  { event: "recovery-waiting", run: "r-0", name: "web", operation: "update", waitMs: 25_000 },
  { event: "finalizer", provider: "cloud", errors: ["x/y: no"] },
  { event: "undo", run: "r-0", name: "db", status: "COMPENSATED" },
  { event: "run-closed", run: "r-1", end: "failed" },
];

const everything: Readonly<Record<string, (view: View) => void>> = {
  plan: (view) => view.plan(plan, facts),
  "plan-compensate": (view) => view.plan({ ...plan, onFailure: "compensate" }, { diagnostics: [], notes: [] }),
  "plan-no-changes": (view) => view.plan({ ...plan, actions: [], notes: [] }, { diagnostics: [], notes: [] }),
  events: (view) => {
    for (const event of events) view.event(event);
  },
  "run-succeeded": (view) => view.run(succeededRun),
  "run-failed": (view) => view.run(failedRun),
  "run-unknown": (view) => view.run(unknownRun),
  "run-unchanged": (view) =>
    view.run({ command: "apply", end: "unchanged", plan, durationMs: 0, unknown: [], exitCode: 0 }),
  "run-declined": (view) =>
    view.run({ command: "destroy", end: "declined", plan, durationMs: 0, unknown: [], exitCode: 0 }),
  status: (view) => view.status(status),
  "status-new": (view) => view.status({ stack: status.stack, location: status.location }),
  records: (view) =>
    view.records({
      stack: status.stack,
      serial: 12,
      records: [maskRecord(record)],
      unknown: [{ name: "api", operation: "create", why: "no answer" }],
    }),
  record: (view) => view.record(maskRecord(record)),
  outputs: (view) =>
    view.outputs({ db: { id: "db-1", host: "db.example", port: 5432, tags: ["a", "yes"], "odd key": null, none: {} } }),
  lease: (view) => view.lease(status.state!.lease),
  doctor: (view) =>
    view.doctor({
      location: status.location,
      findings: [
        { check: "serial", severity: "error", problem: "The serial is 3, the journal says 4", repair: "sets it to 4" },
      ],
      repaired: [{ check: "emergency", severity: "error", problem: "Outcomes of run 'r' were in 'file'" }],
    }),
  error: (view) =>
    view.error(
      new WfctlError("CONFIG_INVALID", "Cannot read the stack: its configuration has 1 error", {
        diagnostics: [
          {
            severity: "error",
            code: "CONFIG_INVALID",
            summary: 'The key "nam" is not known',
            hint: 'Did you mean "name"?',
            source: { file: "infra.yaml", line: 4, column: 3 },
          },
        ],
      }),
    ),
  "error-with-hint": (view) =>
    view.error(new WfctlError("LEASE_HELD", "Taking the lease failed", { hint: "Wait for it to end" })),
};

describe("what people read", () => {
  test.each(Object.entries(everything))("%s", async (name, act) => {
    await expect(shown(act)).toMatchFileSnapshot(`golden/${name}.txt`);
  });

  test("markdown of a plan", async () => {
    await expect(shown((view) => view.plan(plan, facts), { markdown: true })).toMatchFileSnapshot("golden/plan.md.txt");
  });

  test("shell variables of outputs", async () => {
    await expect(shown(everything["outputs"]!, { outputFormat: "env" })).toMatchFileSnapshot("golden/outputs.env.txt");
  });
});

describe("what programs read", () => {
  test.each(Object.entries(everything))("%s", async (name, act) => {
    await expect(printed(act, name === "events")).toMatchFileSnapshot(`golden/${name}.json.txt`);
  });
});

describe("both views", () => {
  const secrets = ["do not show me", "old secret", "new secret", "never shown"];

  test.each(Object.entries(everything))("keep secrets and escape sequences out of %s", (_, act) => {
    const text = shown(act) + printed(act);
    for (const secret of secrets) expect(text).not.toContain(secret);
    expect(text).not.toContain("\u001B");
  });

  test("name the same facts of a failed run", () => {
    const human = shown((view) => view.run(failedRun));
    const json = printed((view) => view.run(failedRun));
    for (const fact of [
      "FORBIDDEN",
      "TRANSIENT",
      "DEPENDENCY_FAILED",
      "20250131T174512-3f9c2a",
      "not authorised to create databases",
    ]) {
      expect(human).toContain(fact);
      expect(json).toContain(fact);
    }
  });

  test("colours are there only when they are wanted", () => {
    expect(shown(everything["plan"]!, { color: true })).toContain("\u001B[");
  });
});
