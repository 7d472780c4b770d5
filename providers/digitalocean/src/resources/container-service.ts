import { alreadyExists, notFound, type TroubleReport } from "@wfctl/plugin-sdk";
import {
  awaitDeployment,
  createApp,
  deleteApp,
  describeApp,
  getApp,
  locateApp,
  newestDeployment,
  reasonOf,
  requireImage,
  updateApp,
  type App,
  type Deployment,
} from "../app/apps.ts";
import { appInput, appOutputs, type AppInput, type AppOutputs } from "../app/schema.ts";
import { toSpec } from "../app/to-spec.ts";
import { api, collect, type Context } from "../calls.ts";
import { takenMessage } from "../naming.ts";
import { groupOf } from "../regions.ts";
import { hostSizes, sizing } from "../sizing.ts";
import { readScopes, scopes } from "../permissions.ts";
import { defineDoResource } from "./define.ts";

/** An app of App Platform with one main service. Names are unique in an account; there are no tags. */
export const containerService = defineDoResource<AppInput, AppOutputs>({
  type: "infra.container_service",
  description: "App Platform app",
  input: appInput,
  outputs: appOutputs,
  forceNew: ["region", "name"],
  writeOnly: [
    "env_vars_secret",
    "registry_credentials",
    "log_destinations",
    "jobs.env_vars_secret",
    "workers.env_vars_secret",
    "static_sites.env_vars_secret",
    "sidecars.env_vars_secret",
  ],
  sensitiveInputs: [
    "env_vars_secret",
    "registry_credentials",
    "log_destinations",
    "jobs.env_vars_secret",
    "workers.env_vars_secret",
    "static_sites.env_vars_secret",
    "sidecars.env_vars_secret",
  ],
  unordered: ["routes", "internal_ports", "alerts", "domains", "jobs", "workers", "static_sites", "sidecars"],
  resetWhenUnset: [
    "cors",
    "health_check",
    "liveness_check",
    "autoscaling",
    "instance_count",
    "termination",
    "build_command",
    "run_command",
    "dockerfile_path",
    "source_dir",
    "log_destinations",
    "env_vars_secret",
  ],
  onlyAtCreation: ["project_id", "wait_for_deployment"],
  permissions: [...scopes("app"), ...readScopes("registry")],
  timeouts: { create: 2_400_000, update: 2_400_000, delete: 600_000 },
  tier: 3,

  async create({ name: resource, input }, context) {
    const name = input.name ?? resource;
    if ((await locateApp({ id: "", name }, context)) !== undefined)
      return alreadyExists(takenMessage(context, { kind: "App", name }));
    await requireImages(context, input);
    const { config } = context.client;
    const spec = toSpec(withLogin(context, input), { name, region: groupOf(config.region) });
    const made = await createApp(context, spec, input.project_id ?? config.project_id);
    context.partial(made.id);
    return { ...describeApp(await settle(context, made, input)), created: true };
  },

  async read(ref, context) {
    const app = await locateApp(ref, context);
    return app === undefined ? notFound() : describeApp(app);
  },

  async update(ref, { input }, context) {
    const app = await locateApp(ref, context);
    if (app === undefined) return notFound();
    await requireImages(context, input);
    // Domains of other resources are part of the spec: it is read again in turn.
    const changed = await context.client.exclusive(app.id, async () => {
      const { spec: live } = (await getApp(context, app.id)) ?? app;
      const spec = toSpec(withLogin(context, input), {
        name: input.name ?? live.name,
        region: live.region ?? "",
        live,
      });
      return updateApp(context, app.id, spec);
    });
    return describeApp(await settle(context, changed, input));
  },

  async delete(ref, context) {
    const app = await locateApp(ref, context);
    if (app === undefined) return notFound();
    await deleteApp(context, app.id);
    return undefined;
  },

  async import(id, context) {
    const app = await locateApp({ id, name: "" }, context);
    return app === undefined ? notFound() : describeApp(app);
  },

  async *list(context) {
    for (const app of await collect(api(context).list<App>("apps", "apps"))) yield describeApp(app);
  },

  async scale(ref, replicas, context) {
    const app = await locateApp(ref, context);
    if (app === undefined) return notFound();
    const [main, ...others] = app.spec.services ?? [];
    if (main === undefined) return notFound(`App "${ref.name}" has no service`);
    const { autoscaling: _, ...fixed } = main;
    const spec = { ...app.spec, services: [{ ...fixed, instance_count: replicas }, ...others] };
    return describeApp(await awaitDeployment(context, await updateApp(context, app.id, spec)));
  },

  async health(ref, context) {
    const app = await locateApp(ref, context);
    if (app === undefined) return { healthy: false, message: "does not exist" };
    const deployment = await newestDeployment(context, app.id);
    const waiting = (app.domains ?? []).filter(({ phase }) => phase !== "ACTIVE").map(({ spec }) => spec.domain);
    if (deployment?.phase !== "ACTIVE")
      return { healthy: false, message: `deployment is ${deployment?.phase.toLowerCase() ?? "missing"}` };
    if (waiting.length > 0) return { healthy: false, message: `domains are not active: ${waiting.join(", ")}` };
    return { healthy: true, message: `deployment ${deployment.id} is active` };
  },

  async troubleshoot(ref, _failure, context) {
    const app = await locateApp(ref, context);
    if (app === undefined) return [];
    const { deployments } = await api(context).get<{ deployments: readonly Deployment[] | null }>(
      `apps/${app.id}/deployments`,
      { per_page: 5 },
    );
    return (deployments ?? []).map(toTrouble);
  },

  diff({ input }, { outputs }, standard) {
    // The values cannot be read, but which secrets there are can.
    const known = outputs["secret_keys"];
    if (
      !Array.isArray(known) ||
      standard.changes.some(({ path }) => path === "env_vars_secret" || path.startsWith("env_vars_secret."))
    )
      return standard;
    const live = known as string[];
    const wanted = Object.keys(input.env_vars_secret ?? {}).toSorted();
    if (live.join() === wanted.join()) return standard;
    return { changes: [...standard.changes, { path: "env_vars_secret", forceNew: false, old: live, new: wanted }] };
  },

  sizing: sizing(hostSizes.app),
});

async function settle(context: Context, app: App, input: AppInput): Promise<App> {
  return input.wait_for_deployment ? awaitDeployment(context, app) : ((await getApp(context, app.id)) ?? app);
}

async function requireImages(context: Context, input: AppInput): Promise<void> {
  const images = [input.image, ...[...input.jobs, ...input.workers, ...input.sidecars].map(({ image }) => image)];
  for (const image of images) await requireImage(context, image);
}

function withLogin(context: Context, input: AppInput): AppInput {
  return { ...input, registry_credentials: input.registry_credentials ?? context.client.config.registry_credentials };
}

function toTrouble(deployment: Deployment): TroubleReport {
  const { id, phase, cause = "" } = deployment;
  return {
    id,
    phase,
    cause: phase === "ERROR" ? reasonOf(deployment) : cause,
    ...(deployment.updated_at === undefined ? {} : { at: new Date(deployment.updated_at) }),
    detail: (deployment.progress?.steps ?? [])
      .flatMap(({ name, reason }) => (reason === undefined ? [] : [`${name ?? "step"}: ${reason.code ?? ""}`]))
      .join("\n"),
  };
}
