import { randomUUID } from "node:crypto";
import { createCollection } from "@wfctl/emulator-core";
import type { Account, AppState, Thing } from "../account.ts";
import { checkSpec, settleSpec } from "./app-spec.ts";
import {
  asText,
  conflict,
  fail,
  listOf,
  notFound,
  paged,
  textOf,
  unprocessable,
  type DoHandler,
  type DoRequest,
  type Handlers,
} from "./answers.ts";

const phases = [
  ["PENDING_BUILD", 10_000],
  ["BUILDING", 60_000],
  ["DEPLOYING", 60_000],
] as const;
const jobMs = 20_000;

export const apps: Handlers = {
  apps_list: (request) =>
    paged(
      request,
      "apps",
      request.account.apps.list().map(({ app }) => app),
    ),
  apps_create({ account, body }) {
    const spec = body["spec"] as Thing;
    const problem = checkSpec(account, spec);
    if (problem !== undefined) return fail(400, "invalid_argument", `error validating app spec: ${problem}`);
    if (account.apps.all().some(({ app }) => (app["spec"] as Thing)["name"] === spec["name"]))
      return conflict(`App name "${asText(spec["name"])}" already exists`);
    const id = randomUUID();
    const settled = settleSpec(spec);
    const app: Thing = {
      id,
      owner_uuid: account.uuid,
      spec: settled,
      default_ingress: "",
      created_at: account.clock.iso(),
      updated_at: account.clock.iso(),
      tier_slug: "basic",
      region: {
        slug: asText(settled["region"]),
        label: asText(settled["region"]),
        flag: "flag",
        continent: "World",
        data_centers: ["nyc3"],
        default: false,
      },
      project_id: textOf(body, "project_id") ?? asText(account.projects.all()[0]!["id"]),
      domains: [],
    };
    const state: AppState = {
      app,
      deployments: createCollection<Thing>(account.clock, { lagMs: 0 }),
      invocations: createCollection<Thing>(account.clock, { lagMs: 0 }),
    };
    account.apps.add(id, state);
    deploy(account, state, "initial deployment");
    syncDomains(account, app);
    return { status: 200, body: { app } };
  },
  apps_get: on(({ app }) => ({ status: 200, body: { app } }), "visible"),
  apps_update: on((state, { account, body }) => {
    const spec = body["spec"] as Thing;
    const problem = checkSpec(account, spec);
    if (problem !== undefined) return fail(400, "invalid_argument", `error validating app spec: ${problem}`);
    if (
      spec["name"] !== (state.app["spec"] as Thing)["name"] &&
      account.apps.all().some(({ app }) => (app["spec"] as Thing)["name"] === spec["name"])
    ) {
      return conflict(`App name "${asText(spec["name"])}" already exists`);
    }
    state.app["spec"] = settleSpec(spec);
    state.app["updated_at"] = account.clock.iso();
    deploy(account, state, "app spec updated");
    syncDomains(account, state.app);
    return { status: 200, body: { app: state.app } };
  }),
  apps_delete: on(({ app }, { account }) => {
    account.apps.remove(asText(app["id"]));
    return { status: 200, body: { id: app["id"]! } };
  }),
  apps_list_deployments: on(({ deployments }, request) =>
    paged(request, "deployments", deployments.list().toReversed()),
  ),
  apps_create_deployment: on((state, { account }) => ({
    status: 200,
    body: { deployment: deploy(account, state, "manual") },
  })),
  apps_get_deployment: on(({ deployments }, { params }) => {
    const deployment = deployments.get(params["deployment_id"] ?? "");
    return deployment === undefined ? notFound() : { status: 200, body: { deployment } };
  }),
  apps_cancel_deployment: on(({ app, deployments }, { params }) => {
    const deployment = deployments.get(params["deployment_id"] ?? "");
    if (deployment === undefined) return notFound();
    if (["ACTIVE", "ERROR", "CANCELED", "SUPERSEDED"].includes(asText(deployment["phase"])))
      return unprocessable("deployment is finished");
    deployment["phase"] = "CANCELED";
    delete app["in_progress_deployment"];
    delete app["pending_deployment"];
    return { status: 200, body: { deployment } };
  }),
  apps_get_logs_active_deployment_aggregate: logs,
  apps_get_logs_aggregate: logs,
  apps_get_logs_active_deployment: logs,
  apps_get_logs: logs,
  apps_list_job_invocations: on(({ invocations }, request) => {
    const deployment = request.query["deployment_id"];
    const names = listOf<string>(request.query, "job_names");
    const found = invocations
      .list()
      .filter((invocation) => deployment === undefined || invocation["deployment_id"] === deployment)
      .filter((invocation) => names.length === 0 || names.includes(asText(invocation["job_name"])));
    return paged(request, "job_invocations", found);
  }),
  apps_get_job_invocation: on(({ invocations }, { params }) => {
    const invocation = invocations.get(params["job_invocation_id"] ?? "");
    return invocation === undefined ? notFound() : { status: 200, body: invocation };
  }),
  apps_cancel_job_invocation: on(({ invocations }, { params, account }) => {
    const invocation = invocations.get(params["job_invocation_id"] ?? "");
    if (invocation === undefined) return notFound();
    Object.assign(invocation, { phase: "CANCELED", completed_at: account.clock.iso() });
    return { status: 200, body: invocation };
  }),
};

function on(
  act: (state: AppState, request: DoRequest) => ReturnType<DoHandler>,
  view: "visible" | "own" = "own",
): DoHandler {
  return (request) => {
    const id = request.params["id"] ?? request.params["app_id"] ?? "";
    const { apps: all } = request.account;
    const state = view === "visible" ? all.get(id) : all.own(id);
    return state === undefined ? notFound() : act(state, request);
  };
}

/** Starts a deployment that passes through its phases; images tagged `broken` fail. */
function deploy(account: Account, state: AppState, cause: string): Thing {
  const { app, deployments } = state;
  const spec = app["spec"] as Thing;
  const id = randomUUID();
  const deployment: Thing = {
    id,
    spec,
    phase: phases[0][0],
    cause,
    services: listOf<Thing>(spec, "services").map(({ name }) => ({ name: name! })),
    progress: {
      pending_steps: 6,
      running_steps: 0,
      success_steps: 0,
      error_steps: 0,
      total_steps: 6,
      steps: [],
      summary_steps: [],
    },
    phase_last_updated_at: account.clock.iso(),
    created_at: account.clock.iso(),
    updated_at: account.clock.iso(),
    tier_slug: "basic",
  };
  deployments.add(id, deployment);
  const before = app["in_progress_deployment"] as Thing | undefined;
  if (before !== undefined) before["phase"] = "SUPERSEDED";
  app["in_progress_deployment"] = deployment;
  const isBroken = ["services", "workers", "jobs"].some((kind) =>
    listOf<Thing>(spec, kind).some((component) => (component["image"] as Thing | undefined)?.["tag"] === "broken"),
  );
  let at = 0;
  for (const [index, [, ms]] of phases.entries()) {
    at += ms;
    account.clock.after(at, () => {
      if (["CANCELED", "SUPERSEDED", "ERROR"].includes(asText(deployment["phase"]))) return;
      const next = phases[index + 1]?.[0];
      deployment["phase_last_updated_at"] = account.clock.iso();
      if (next === "DEPLOYING") startJobs(account, state, deployment);
      if (next !== undefined) deployment["phase"] = next;
      else if (isBroken) fails(app, deployment);
      else activate(app, deployment);
    });
  }
  return deployment;
}

function activate(app: Thing, deployment: Thing): void {
  const name = asText((app["spec"] as Thing)["name"]);
  const old = app["active_deployment"] as Thing | undefined;
  if (old !== undefined) old["phase"] = "SUPERSEDED";
  deployment["phase"] = "ACTIVE";
  deployment["progress"] = {
    pending_steps: 0,
    running_steps: 0,
    success_steps: 6,
    error_steps: 0,
    total_steps: 6,
    steps: [],
    summary_steps: [],
  };
  app["active_deployment"] = deployment;
  if (app["in_progress_deployment"] === deployment) delete app["in_progress_deployment"];
  const host = `${name}-${asText(app["id"]).slice(0, 5)}.ondigitalocean.app`;
  Object.assign(app, {
    default_ingress: `https://${host}`,
    live_url: `https://${host}`,
    live_url_base: `https://${host}`,
    live_domain: host,
  });
}

function fails(app: Thing, deployment: Thing): void {
  deployment["phase"] = "ERROR";
  deployment["progress"] = {
    pending_steps: 0,
    running_steps: 0,
    success_steps: 5,
    error_steps: 1,
    total_steps: 6,
    steps: [
      {
        name: "deploy",
        status: "ERROR",
        reason: { code: "DeployContainerExitNonZero", message: "The container exited with a non-zero code." },
      },
    ],
    summary_steps: [],
  };
  if (app["in_progress_deployment"] === deployment) delete app["in_progress_deployment"];
}

/** Jobs before the deployment run when it begins; a command with `fail` in it fails, one with `hang` goes on. */
function startJobs(account: Account, { invocations, app }: AppState, deployment: Thing): void {
  for (const job of listOf<Thing>(app["spec"] as Thing, "jobs")) {
    if (job["kind"] !== "PRE_DEPLOY") continue;
    const id = randomUUID();
    const invocation = invocations.add(id, {
      id,
      job_name: job["name"]!,
      deployment_id: deployment["id"]!,
      phase: "RUNNING",
      trigger: { type: "UNKNOWN" },
      created_at: account.clock.iso(),
      started_at: account.clock.iso(),
    });
    const command = textOf(job, "run_command") ?? "";
    if (command.includes("hang")) continue;
    account.clock.after(jobMs, () => {
      if (invocation["phase"] !== "RUNNING") return;
      Object.assign(invocation, {
        phase: command.includes("fail") ? "FAILED" : "SUCCEEDED",
        completed_at: account.clock.iso(),
      });
    });
  }
}

/** Domains of the spec, with what the platform adds; a domain whose zone the account has becomes active. */
function syncDomains(account: Account, app: Thing): void {
  const before = listOf<Thing>(app, "domains");
  app["domains"] = listOf<Thing>(app["spec"] as Thing, "domains").map((spec) => {
    const old = before.find((domain) => (domain["spec"] as Thing)["domain"] === spec["domain"]);
    if (old !== undefined) {
      old["spec"] = spec;
      return old;
    }
    const domain: Thing = {
      id: randomUUID(),
      spec,
      phase: "PENDING",
      progress: { steps: [] },
      validations:
        spec["wildcard"] === true
          ? [{ txt_name: `_acme-challenge.${asText(spec["domain"])}`, txt_value: randomUUID() }]
          : [],
      rotate_validation_records: false,
      certificate_expires_at: new Date(account.clock.now() + 90 * 86_400_000).toISOString(),
    };
    account.clock.after(30_000, () => {
      domain["phase"] = "ACTIVE";
    });
    return domain;
  });
}

function logs(request: DoRequest) {
  const state = request.account.apps.get(request.params["app_id"] ?? "");
  if (state === undefined) return notFound();
  const { deployment_id: deployment, component_name: component } = request.params;
  if (deployment !== undefined && state.deployments.get(deployment) === undefined) return notFound();
  const type = asText(request.query["type"] ?? "RUN").toLowerCase();
  const what = new URLSearchParams({
    app: asText(state.app["id"]),
    type,
    ...(component === undefined ? {} : { component }),
    ...(deployment === undefined ? {} : { deployment }),
  });
  const live = `${request.url.origin.replace(/^http/, "ws")}/_logs/live?${what.toString()}`;
  return {
    status: 200,
    body: {
      live_url: live,
      historic_urls:
        request.query["follow"] === "true" || request.query["follow"] === true
          ? []
          : [`${request.url.origin}/_logs/historic?${what.toString()}`],
    },
  };
}

/** Lines that a component is supposed to have written. */
export function logLines(query: URLSearchParams, count: number): string[] {
  const component = query.get("component") ?? "web";
  return Array.from(
    { length: count },
    (_, index) =>
      `${component} 2026-01-01T00:00:${asText(index % 60).padStart(2, "0")}Z ${query.get("type") ?? "run"} line ${index + 1}`,
  );
}
