import { createHash } from "node:crypto";
import { ProviderFailure, type ResourceState } from "@wfctl/plugin-sdk";
import { api, findItem, type Context } from "../calls.ts";
import { isStatus, orAbsent } from "../errors.ts";
import { isUuid } from "../naming.ts";
import { awaitThat } from "../waiting.ts";
import { fromSpec, secretKeys } from "./from-spec.ts";
import type { AppImage } from "./image.ts";
import type { AppInput, AppOutputs } from "./schema.ts";
import type { AppSpec, DomainSpec, Env } from "./spec-types.ts";

export interface Deployment {
  readonly id: string;
  readonly phase: string;
  readonly cause?: string;
  readonly created_at?: string;
  readonly updated_at?: string;
  readonly progress?: {
    readonly steps?: readonly {
      readonly name?: string;
      readonly reason?: { readonly code?: string; readonly message?: string };
    }[];
  };
}

export interface AppDomain {
  readonly id: string;
  readonly phase: string;
  readonly spec: DomainSpec;
  readonly validations?: readonly { readonly txt_name?: string; readonly txt_value?: string }[];
  readonly certificate_expires_at?: string;
  readonly progress?: { readonly steps?: readonly unknown[] };
}

export interface App {
  readonly id: string;
  readonly spec: AppSpec;
  readonly default_ingress?: string;
  readonly live_url?: string;
  readonly live_domain?: string;
  readonly active_deployment?: Deployment;
  readonly in_progress_deployment?: Deployment;
  readonly pending_deployment?: Deployment;
  readonly domains?: readonly AppDomain[];
}

export async function getApp(context: Context, id: string): Promise<App | undefined> {
  return (await orAbsent(api(context).get<{ app: App }>(`apps/${id}`)))?.app;
}

export async function locateApp(
  { id, name }: { id: string; name: string },
  context: Context,
): Promise<App | undefined> {
  if (isUuid(id)) return getApp(context, id);
  const wanted = id === "" ? name : id;
  return findItem(api(context).list<App>("apps", "apps"), ({ spec }) => spec.name === wanted);
}

export async function createApp(context: Context, spec: AppSpec, projectId: string | undefined): Promise<App> {
  const project = projectId === undefined ? {} : { project_id: projectId };
  return inItsWords(spec, async (worded) => {
    const { app } = await api(context).post<{ app: App }>("apps", { spec: worded, ...project });
    return app;
  });
}

export async function updateApp(context: Context, id: string, spec: AppSpec): Promise<App> {
  return inItsWords(spec, async (worded) => {
    const { app } = await api(context).put<{ app: App }>(`apps/${id}`, { spec: worded });
    return app;
  });
}

/** The API takes `preserve_path_prefix` as true; its description, and what is made from that, as "true". */
async function inItsWords(spec: AppSpec, send: (spec: AppSpec) => Promise<App>): Promise<App> {
  try {
    return await send(spec);
  } catch (error) {
    const isAboutIt = isStatus(error, 400, 422) && /preserve_path_prefix|must be string/.test(error.message);
    const rules = spec.ingress?.rules ?? [];
    if (!isAboutIt || rules.every(({ component }) => component?.preserve_path_prefix === undefined)) throw error;
    const worded = rules.map((rule) => {
      const { component } = rule;
      if (component?.preserve_path_prefix === undefined) return rule;
      const said = String(component.preserve_path_prefix) as "true" | "false";
      return { ...rule, component: { ...component, preserve_path_prefix: said } };
    });
    return send({ ...spec, ingress: { ...spec.ingress, rules: worded } });
  }
}

export async function deleteApp(context: Context, id: string): Promise<void> {
  await orAbsent(api(context).delete(`apps/${id}`));
  await awaitThat(context, `app ${id} to be gone`, async () =>
    (await getApp(context, id)) === undefined ? true : undefined,
  );
}

/** The deployment that a change started, if there is one. */
function startedDeployment(app: App): Deployment | undefined {
  return app.in_progress_deployment ?? app.pending_deployment;
}

const finished: ReadonlySet<string> = new Set(["ACTIVE", "ERROR", "CANCELED", "SUPERSEDED"]);

/** Waits until the app's newest deployment has ended; one that failed is a failure that says why. */
export async function awaitDeployment(context: Context, app: App): Promise<App> {
  let phase = startedDeployment(app)?.phase ?? "PENDING_BUILD";
  await awaitThat(
    context,
    () => `app ${app.spec.name} to be deployed (${phase.toLowerCase()})`,
    async () => {
      const deployment = await newestDeployment(context, app.id);
      phase = deployment?.phase ?? "PENDING_BUILD";
      if (deployment === undefined || !finished.has(phase)) return undefined;
      if (phase === "ACTIVE") return deployment;
      // Another change took its place: that one is to be waited for.
      if (phase === "SUPERSEDED") return undefined;
      throw new ProviderFailure(
        "unknown",
        `Deployment of app "${app.spec.name}" ended as ${phase.toLowerCase()}: ${reasonOf(deployment)}`,
      );
    },
  );
  return (await getApp(context, app.id)) ?? app;
}

export async function newestDeployment(context: Context, appId: string): Promise<Deployment | undefined> {
  type Answer = { deployments: readonly Deployment[] | null };
  // A new app can be invisible for a moment.
  const found = await orAbsent(api(context).get<Answer>(`apps/${appId}/deployments`, { per_page: 1 }));
  return found?.deployments?.[0];
}

export function reasonOf({ progress }: Deployment): string {
  const reason = progress?.steps?.find((step) => step.reason?.message !== undefined)?.reason;
  return (
    reason?.message ?? reason?.code ?? "DigitalOcean gives no reason; look at the logs of the build and the deployment"
  );
}

/** An image of DigitalOcean's own registry whose tag is not there would fail minutes later. */
export async function requireImage(context: Context, image: AppImage | undefined): Promise<void> {
  if (image?.registry_type !== "DOCR" || image.tag === undefined) return;
  const cloud = api(context);
  const registries = await orForbidden(cloud.get<{ registries?: readonly { name: string }[] | null }>("registries"));
  const names = (registries?.registries ?? []).map(({ name }) => name);
  const found = await Promise.all(names.map((name) => hasTag(context, name, image)));
  if (names.length === 0 || found.includes(true)) return;
  throw new ProviderFailure(
    "image_missing",
    `Image "${image.repository}:${image.tag}" is in none of the account's registries (${names.join(", ")}): push it first`,
  );
}

async function hasTag(context: Context, registry: string, image: AppImage): Promise<boolean> {
  const path = `registry/${registry}/repositories/${encodeURIComponent(image.repository)}/tags`;
  try {
    const tags = api(context).list<{ tag: string }>(path, "tags");
    return (await findItem(tags, ({ tag }) => tag === image.tag)) !== undefined;
  } catch (error) {
    if (isStatus(error, 404)) return false;
    throw error;
  }
}

/** A token without the registry's scope cannot tell: the deployment will. */
async function orForbidden<Answer>(call: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isStatus(error, 403, 404)) return undefined;
    throw error;
  }
}

/** Variables without the secret ones, of which the API answers another text each time. */
function plainEnvs(envs: readonly Env[]): readonly (readonly [string, string])[] {
  return envs
    .filter(({ type }) => type !== "SECRET")
    .map(({ key, value = "" }) => [key, value] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function digestOf(value: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

export function describeApp(app: App): ResourceState<AppInput, AppOutputs> {
  const { id, spec } = app;
  const [main] = spec.services ?? [];
  const deployment = startedDeployment(app) ?? app.active_deployment;
  const rules = spec.ingress?.rules ?? [];
  const image = main?.image;
  return {
    id,
    name: spec.name,
    status: app.active_deployment === undefined ? "unknown" : "running",
    outputs: {
      id,
      name: spec.name,
      urn: `do:app:${id}`,
      live_url: app.live_url ?? "",
      default_ingress: app.default_ingress ?? "",
      live_domain: app.live_domain ?? "",
      region: spec.region ?? "",
      expose: main?.http_port === undefined ? "internal" : "public",
      image:
        image === undefined
          ? ""
          : [image.registry, image.repository].filter(Boolean).join("/") +
            (image.digest === undefined ? `:${image.tag ?? "latest"}` : `@${image.digest}`),
      routes: rules.map((rule) => rule.match?.path?.prefix ?? "/"),
      vpc_uuid: spec.vpc?.id ?? "",
      deployment_id: deployment?.id ?? "",
      deployment_phase: deployment?.phase ?? "",
      secret_keys: secretKeys(spec),
      env_vars_hash: digestOf(plainEnvs(main?.envs ?? [])),
      jobs_hash: digestOf((spec.jobs ?? []).map((job) => ({ ...job, envs: plainEnvs(job.envs ?? []) }))),
      workers_hash: digestOf((spec.workers ?? []).map((worker) => ({ ...worker, envs: plainEnvs(worker.envs ?? []) }))),
    },
    inputs: fromSpec(spec),
  };
}
