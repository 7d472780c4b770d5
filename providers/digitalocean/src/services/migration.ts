import { ProviderFailure, type ProviderDefinition } from "@wfctl/plugin-sdk";
import { getApp, locateApp, newestDeployment, updateApp, type App } from "../app/apps.ts";
import { parseImage } from "../app/image.ts";
import type { JobSpec } from "../app/spec-types.ts";
import { api, type Context } from "../calls.ts";
import type { DigitalOceanClient } from "../client.ts";
import { awaitThat } from "../waiting.ts";

type Hook = NonNullable<ProviderDefinition<DigitalOceanClient, object>["repairMigration"]>;
type Request = Parameters<Hook>[0];
type Answer = Awaited<ReturnType<Hook>>;

interface Invocation {
  readonly id: string;
  readonly job_name: string;
  readonly deployment_id: string;
  readonly phase: "UNKNOWN" | "PENDING" | "RUNNING" | "SUCCEEDED" | "FAILED" | "CANCELED" | "SKIPPED";
}

const jobName = "wfctl-migration-repair";
const confirmation = "FORCE_MIGRATION_METADATA";
const defaultTimeoutMs = 600_000;
const ended: ReadonlySet<string> = new Set(["SUCCEEDED", "FAILED", "CANCELED", "SKIPPED"]);

/**
 * Runs a job before the app's next deployment that sets a migration's version right, and takes the job out of the app
 * again, however it ends.
 */
export async function repairMigration(request: Request, context: Context): Promise<Answer> {
  const problem = checkRequest(request);
  if (problem !== undefined) throw new ProviderFailure("validation", problem);
  if (request.confirmForce !== confirmation) {
    return { status: "approval_required", logs: `Forcing a version needs the confirmation ${confirmation}` };
  }
  const app = await locateApp({ id: "", name: request.appResourceName }, context);
  if (app === undefined) throw new ProviderFailure("not_found", `App "${request.appResourceName}" does not exist`);
  const job = jobOf(request);
  return context.client.exclusive(app.id, async () => {
    const before = ((await getApp(context, app.id)) ?? app).spec;
    const jobs = (before.jobs ?? []).filter(({ name }) => name !== jobName);
    const changed = await updateApp(context, app.id, { ...before, jobs: [...jobs, job] });
    try {
      return await watch(context, changed, request);
    } finally {
      await updateApp(context, app.id, jobs.length === 0 ? without(before) : { ...before, jobs });
    }
  });
}

const without = ({ jobs: _jobs, ...spec }: App["spec"]): App["spec"] => spec;

function checkRequest(request: Request): string | undefined {
  const required = {
    app_resource_name: request.appResourceName,
    job_image: request.jobImage,
    source_dir: request.sourceDir,
    force_version: request.forceVersion,
  };
  const missing = Object.entries(required).find(([, value]) => value === "")?.[0];
  if (missing !== undefined) return `${missing} is required`;
  return request.thenUp && request.upIfClean ? "then_up and up_if_clean exclude each other" : undefined;
}

function jobOf(request: Request): JobSpec {
  const image = parseImage(request.jobImage);
  if (image === undefined)
    throw new ProviderFailure(
      "validation",
      `Job image "${request.jobImage}" is in no registry that App Platform can read`,
    );
  const word = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const flags = [
    `--source-dir ${word(request.sourceDir)}`,
    ...(request.expectedDirtyVersion === "" ? [] : [`--expected-dirty-version ${word(request.expectedDirtyVersion)}`]),
    `--force-version ${word(request.forceVersion)}`,
    ...(request.thenUp ? ["--then-up"] : []),
    ...(request.upIfClean ? ["--up-if-clean"] : []),
  ];
  const envs = Object.entries(request.env).map(([key, value]) => ({
    key,
    value,
    scope: "RUN_TIME",
    type: "SECRET" as const,
  }));
  return {
    name: jobName,
    kind: "PRE_DEPLOY",
    image,
    instance_count: 1,
    run_command: `workflow-migrate repair-dirty ${flags.join(" ")}`,
    ...(envs.length === 0 ? {} : { envs }),
  };
}

async function watch(context: Context, app: App, request: Request): Promise<Answer> {
  const cloud = api(context);
  const deployment = app.in_progress_deployment ?? app.pending_deployment ?? (await newestDeployment(context, app.id));
  const timeoutMs = request.timeoutSeconds > 0 ? request.timeoutSeconds * 1000 : defaultTimeoutMs;
  let seen: Invocation | undefined;
  try {
    const done = await awaitThat(
      context,
      () => `migration repair of app ${app.spec.name} to end (${(seen?.phase ?? "PENDING").toLowerCase()})`,
      async () => {
        const query = { job_names: jobName, ...(deployment === undefined ? {} : { deployment_id: deployment.id }) };
        const { job_invocations: found } = await cloud.get<{ job_invocations?: readonly Invocation[] | null }>(
          `apps/${app.id}/job-invocations`,
          query,
        );
        seen = found?.find((each) => each.job_name === jobName);
        return seen !== undefined && ended.has(seen.phase) ? seen : undefined;
      },
      { timeoutMs },
    );
    const logs = await readLogs(context, app, done);
    const succeeded = done.phase === "SUCCEEDED";
    return {
      providerJobId: done.id,
      status: succeeded ? "succeeded" : "failed",
      logs,
      applied: succeeded && (request.thenUp || request.upIfClean) ? appliedIn(logs) : [],
      diagnostics: succeeded
        ? []
        : [{ id: done.id, phase: done.phase, cause: "The repair job did not succeed", detail: logs.slice(-2000) }],
    };
  } catch (error) {
    const { id } = seen ?? {};
    if (id !== undefined && !context.signal.aborted)
      await cloud.post(`apps/${app.id}/job-invocations/${id}/cancel`).catch(() => {});
    throw error;
  }
}

async function readLogs(context: Context, app: App, invocation: Invocation): Promise<string> {
  const path = `apps/${app.id}/deployments/${invocation.deployment_id}/components/${jobName}/logs`;
  try {
    const { historic_urls: urls } = await api(context).get<{ historic_urls?: readonly string[] | null }>(path, {
      type: "RUN",
    });
    const texts = await Promise.all(
      (urls ?? []).map(async (url) => (await fetch(url, { signal: context.signal })).text()),
    );
    return texts.join("");
  } catch (error) {
    context.log.warn(
      `Cannot read the logs of the migration repair: ${error instanceof Error ? error.message : String(error)}`,
    );
    return "";
  }
}

function appliedIn(logs: string): string[] {
  return [...logs.matchAll(/^.*\bapplied(?: migration)? (\S+)/gim)].map(([, version = ""]) => version);
}
