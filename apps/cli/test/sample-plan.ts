import type { RunReport } from "@wfctl/engine";
import type { DesiredResource, Outcome, Plan, PlanAction } from "@wfctl/model";
import type { RunFacts } from "../src/views/view.ts";

const desired = (name: string, type: string, config: DesiredResource["config"]): DesiredResource => ({
  name,
  type,
  provider: "cloud",
  config,
  dependsOn: [],
  protected: false,
  lifecycle: {},
  timeouts: {},
  adoptExisting: false,
  existing: false,
  source: { file: "infra.yaml", line: 12, column: 5 },
});

const undo = { undo: "yes", how: "delete it, confirmed by a read" } as const;

/** One action of each kind, with everything that a plan can say. */
export const samplePlan: Plan = {
  id: "plan-1",
  createdAt: "2025-01-31T17:45:12.000Z",
  command: "apply",
  stack: { name: "shop", environment: "prod", lineage: "lineage-1" },
  serial: 12,
  configDigest: "config-digest",
  providers: [
    { module: "cloud", name: "aws", version: "1.2.0", identity: "123456789012/eu-west-1", schemaDigest: "s1" },
    { module: "here", name: "local", version: "0.1.0", schemaDigest: "s2" },
  ],
  actions: [
    action(0, "create", "cache", "infra.cache", {
      desired: desired("cache", "infra.cache", {
        provider: "cloud",
        engine: "redis",
        size: "s",
        network: { subnets: [{ $expr: [{ resource: "net", path: "id" }] }], public: false },
        url: { $expr: ["redis://", { resource: "db", path: "host" }, ":6379"] },
        password: "do not show me",
        token: { $expr: [{ env: "CACHE_TOKEN" }] },
      }),
      sizing: { instance_type: "cache.t4g.small" },
      reasons: ["it does not exist"],
    }),
    action(1, "update", "api", "infra.container_service", {
      prior: { providerId: "svc-1", type: "infra.container_service", provider: "cloud", updatedAt: "x" },
      changes: [
        { path: "image", old: "api:7", new: "api:8", forceNew: false },
        { path: "env_vars.DB", old: "a", forceNew: false, unknown: true },
        { path: "env_vars.KEY", old: "old secret", new: "new secret", forceNew: false, sensitive: true },
        { path: "replicas", new: 3, forceNew: false },
      ],
      deferred: [{ path: "env_vars.DB", waitsFor: "db.host", why: '"db" is replaced in this run' }],
      reasons: ["image, env_vars.DB, env_vars.KEY, replicas change"],
      undo: { undo: "yes", how: "update to the inputs before" },
    }),
    action(2, "replace", "db", "infra.database", {
      prior: { providerId: "db-1", type: "infra.database", provider: "cloud", updatedAt: "x" },
      changes: [{ path: "engine", old: "pg", new: "mysql", forceNew: true }],
      reasons: ["engine cannot be changed in place"],
      replaceMode: "delete-first",
      undo: { undo: "no", why: "the old object is deleted before the new one is created" },
    }),
    action(3, "delete", "old", "infra.storage", {
      prior: { providerId: "old-bucket", type: "infra.storage", provider: "cloud", updatedAt: "x" },
      reasons: ["the configuration does not name it any more"],
      undo: { undo: "no", why: "a deleted object does not come back" },
    }),
    action(4, "adopt", "zone", "infra.dns", {
      reasons: ["an object of this name exists and is taken over (id z-1)"],
      undo: { undo: "yes", how: "forget it" },
    }),
    action(5, "forget", "logs", "infra.storage", {
      prior: { providerId: "logs", type: "infra.storage", provider: "cloud", updatedAt: "x" },
      reasons: ["the configuration does not name it any more", "it is kept in the cloud"],
      undo: { undo: "yes", how: "restore the record" },
    }),
    action(6, "read", "net", "infra.vpc", {
      reasons: ["it is read for its outputs"],
      undo: { undo: "yes", how: "restore the record" },
    }),
    action(7, "import", "web", "infra.droplet", {
      importId: "4711",
      changes: [{ path: "size", old: "s", new: "m", forceNew: false }],
      reasons: ["the object exists and will be imported", "size is then updated"],
      undo: { undo: "yes", how: "update to the inputs it has now, and forget it" },
    }),
  ],
  nodes: [],
  onFailure: "continue",
  notes: [{ name: "x", code: "RENAME", text: '"a" is deleted and "b" created with the same configuration' }],
  unchanged: 5,
  readAt: { oldest: "2025-01-30T10:00:00.000Z", newest: "2025-01-31T10:00:00.000Z" },
  digest: "digest",
};

function action(
  index: number,
  kind: PlanAction["kind"],
  name: string,
  type: string,
  rest: Partial<PlanAction>,
): PlanAction {
  return {
    index,
    kind,
    name,
    type,
    provider: "cloud",
    changes: [],
    reasons: [],
    undo,
    after: [],
    unknown: [],
    ...rest,
  };
}

/** Pointers as the engine finds them for the sample. */
export const sampleSecrets = (of: PlanAction): readonly string[] => (of.name === "cache" ? ["/password"] : []);

const outcome = (index: number, rest: Partial<Outcome> = {}): Outcome => ({
  action: index,
  status: "SUCCESS",
  attempts: 1,
  durationMs: 1200,
  ...rest,
});

const failedOutcomes: readonly Outcome[] = [
  outcome(0),
  outcome(1, {
    status: "SKIPPED",
    code: "DEPENDENCY_FAILED",
    message: "It depends on what failed",
    causes: ["db", "net"],
    attempts: 0,
    durationMs: 0,
  }),
  outcome(2, {
    status: "ERROR",
    code: "FORBIDDEN",
    message: 'Cannot create "db" (infra.database): not authorised to create databases',
  }),
  outcome(3, { status: "DELETE_FAILED", code: "TRANSIENT", message: 'Cannot delete "old" (infra.storage): try later' }),
  outcome(4),
  outcome(5),
  outcome(6, { status: "SKIPPED", code: "CANCELLED", message: "The run was cancelled", attempts: 0, durationMs: 0 }),
  outcome(7),
];

function report(outcomes: readonly Outcome[], end: RunReport["end"]): RunReport {
  return {
    run: "20250131T174512-3f9c2a",
    outcomes,
    result: {
      planId: "plan-1",
      resources: [
        { name: "cache", type: "infra.cache", providerId: "c-1", outputs: { host: "h" }, sensitive: [], status: "" },
      ],
      errors: [],
      initialInputSnapshot: {},
      inputDriftReport: [],
      replaceIdMap: {},
      actions: outcomes.map(({ action: actionIndex, status, message }) => ({
        actionIndex,
        status,
        error: message ?? "",
      })),
    },
    end,
    finalizeErrors: [],
    unknown: [],
  };
}

export const failedRun: RunFacts = {
  command: "apply",
  end: "failed",
  plan: samplePlan,
  report: report(failedOutcomes, "failed"),
  firstFailed: 2,
  durationMs: 63_000,
  unknown: [],
  exitCode: 1,
};

export const unknownRun: RunFacts = {
  ...failedRun,
  end: "interrupted",
  report: report(
    failedOutcomes.map((one) =>
      one.action === 2 ? { ...one, code: "OUTCOME_UNKNOWN", message: "The call ended without an answer" } : one,
    ),
    "interrupted",
  ),
  unknown: [{ name: "db", why: "the provider did not answer" }],
  exitCode: 130,
};

export const succeededRun: RunFacts = {
  command: "apply",
  end: "succeeded",
  plan: samplePlan,
  report: report(
    samplePlan.actions.map(({ index }) => outcome(index)),
    "succeeded",
  ),
  durationMs: 4200,
  outputs: { url: "http://127.0.0.1:8080", password: "(sensitive)" },
  unknown: [],
  exitCode: 0,
};
