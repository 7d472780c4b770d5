import { alreadyExists, notFound, z, type ResourceState } from "@wfctl/plugin-sdk";
import { given } from "../aliases.ts";
import {
  awaitDeployment,
  createApp,
  deleteApp,
  getApp,
  locateApp,
  requireImage,
  updateApp,
  type App,
} from "../app/apps.ts";
import { componentName, cors, envVars, oneSource, source } from "../app/schema.ts";
import { settleImage } from "../app/image.ts";
import type { AppSpec, IngressRule, Service } from "../app/spec-types.ts";
import { rulesFor } from "../app/to-spec.ts";
import { api, collect, type Context } from "../calls.ts";
import { takenMessage } from "../naming.ts";
import { groupOf, regionGroup } from "../regions.ts";
import { appSizes, hostSizes, sizeOf, sizing } from "../sizing.ts";
import { readScopes, scopes } from "../permissions.ts";
import { defineDoResource } from "./define.ts";

const component = z
  .strictObject({
    name: componentName,
    ...source,
    http_port: z.coerce.number().int().min(1).max(65_535).default(8080),
    instance_count: z.coerce.number().int().min(1).default(1),
    env_vars: envVars.default({}),
    run_command: z.string().optional(),
  })
  .refine(
    ({ image, github, gitlab, bitbucket, git }) =>
      [image, github, gitlab, bitbucket, git].filter((each) => each !== undefined).length === 1,
    oneSource,
  );

const input = z
  .strictObject({
    name: componentName.optional().describe("Default: the resource's name"),
    region: regionGroup,
    size: sizeOf(appSizes).default(appSizes.xs),
    routes: z
      .array(
        z.strictObject({
          path: z.string().startsWith("/").default("/"),
          component: componentName,
          preserve_path_prefix: z.boolean().default(false),
        }),
      )
      .min(1),
    components: z
      .array(component)
      .min(1)
      .optional()
      .describe(
        "What the routes lead to: an image or a repository each. Default: the components of the routes by their names alone, as upstream sends them; DigitalOcean wants a source",
      ),
    cors: cors.optional(),
  })
  .superRefine(({ routes, components }, { addIssue }) => {
    const names = components?.map(({ name }) => name) ?? routes.map((route) => route.component);
    for (const [index, route] of routes.entries()) {
      if (!names.includes(route.component))
        addIssue({
          code: "custom",
          path: ["routes", index, "component"],
          message: `no component is called "${route.component}"`,
        });
    }
  });
type GatewayInput = z.output<typeof input>;
type GatewayComponent = z.output<typeof component>;

const outputs = z.object({
  id: z.string(),
  name: z.string(),
  urn: z.string(),
  live_url: z.string(),
  region: z.string(),
  deployment_phase: z.string(),
});
type Outputs = z.output<typeof outputs>;

/** An app of App Platform whose paths lead to several services. Names are unique in an account; there are no tags. */
export const apiGateway = defineDoResource<GatewayInput, Outputs>({
  type: "infra.api_gateway",
  description: "App Platform app with routes to several services",
  input,
  outputs,
  forceNew: ["name", "region"],
  resetWhenUnset: ["cors"],
  unordered: ["components", "routes"],
  permissions: [...scopes("app"), ...readScopes("registry")],
  timeouts: { create: 2_400_000, update: 2_400_000, delete: 600_000 },
  tier: 3,

  async create({ name: resource, input: wanted }, context) {
    const name = wanted.name ?? resource;
    if ((await locateApp({ id: "", name }, context)) !== undefined)
      return alreadyExists(takenMessage(context, { kind: "App", name }));
    await requireImages(context, wanted);
    const { config } = context.client;
    const made = await createApp(context, toSpec(wanted, name, groupOf(config.region)), config.project_id);
    context.partial(made.id);
    return { ...describe(await awaitDeployment(context, made)), created: true };
  },

  async read(ref, context) {
    const app = await locateApp(ref, context);
    return app === undefined ? notFound() : describe(app);
  },

  async update(ref, { input: wanted }, context) {
    const app = await locateApp(ref, context);
    if (app === undefined) return notFound();
    await requireImages(context, wanted);
    const changed = await context.client.exclusive(app.id, async () => {
      const live = (await getApp(context, app.id)) ?? app;
      const { domains } = live.spec;
      const spec = toSpec(wanted, live.spec.name, live.spec.region ?? "");
      return updateApp(context, app.id, domains === undefined ? spec : { ...spec, domains });
    });
    return describe(await awaitDeployment(context, changed));
  },

  async delete(ref, context) {
    const app = await locateApp(ref, context);
    if (app === undefined) return notFound();
    await deleteApp(context, app.id);
    return undefined;
  },

  async import(id, context) {
    const app = await locateApp({ id, name: "" }, context);
    return app === undefined ? notFound() : describe(app);
  },

  async *list(context) {
    for (const app of await collect(api(context).list<App>("apps", "apps"))) if (isGateway(app)) yield describe(app);
  },

  sizing: sizing(hostSizes.app),
});

/** Nothing but services, each with a route to it, none called like the app: `infra.container_service` names one so. */
function isGateway({ spec }: App): boolean {
  const services = spec.services ?? [];
  const routed = (spec.ingress?.rules ?? []).map((rule) => rule.component?.name);
  const others = [spec.workers, spec.jobs, spec.static_sites].flatMap((list) => list ?? []);
  return (
    services.length > 0 &&
    others.length === 0 &&
    services.every(({ name }) => name !== spec.name && routed.includes(name))
  );
}

async function requireImages(context: Context, { components = [] }: GatewayInput): Promise<void> {
  for (const { image } of components) await requireImage(context, image);
}

function componentsOf({ components, routes }: GatewayInput): GatewayComponent[] {
  const names = [...new Set(routes.map((route) => route.component))];
  return components ?? names.map((name) => ({ name, http_port: 8080, instance_count: 1, env_vars: {} }));
}

function toSpec(wanted: GatewayInput, name: string, region: string): AppSpec {
  const services = componentsOf(wanted).map(({ env_vars: variables, ...rest }) => {
    const envs = Object.entries(variables).map(([key, value]) => ({
      key,
      value,
      scope: "RUN_AND_BUILD_TIME",
      type: "GENERAL",
    }));
    return given({ ...rest, instance_size_slug: wanted.size, envs: envs.length === 0 ? undefined : envs }) as Service;
  });
  const rules = wanted.routes.flatMap(({ component: target, ...route }) => rulesFor(target, [route], wanted.cors));
  return { name, region: wanted.region ?? region, services, ingress: { rules } };
}

function describe(app: App): ResourceState<GatewayInput, Outputs> {
  const { id, spec } = app;
  const rules: readonly IngressRule[] = spec.ingress?.rules ?? [];
  const components = (spec.services ?? []).map(({ instance_size_slug: _size, envs = [], image, ...service }) => ({
    ...service,
    ...(image === undefined ? {} : { image: settleImage(image) }),
    env_vars: Object.fromEntries(envs.map(({ key, value }) => [key, value ?? ""])),
  }));
  const made = {
    name: spec.name,
    region: spec.region,
    size: spec.services?.[0]?.instance_size_slug ?? appSizes.xs,
    components,
    routes: rules.map(({ match, component: target }) => ({
      path: match?.path?.prefix ?? "/",
      component: target?.name ?? "",
      preserve_path_prefix: String(target?.preserve_path_prefix) === "true",
    })),
    ...(rules[0]?.cors === undefined ? {} : { cors: rules[0].cors }),
  };
  return {
    id,
    name: spec.name,
    status: app.active_deployment === undefined ? "unknown" : "running",
    outputs: {
      id,
      name: spec.name,
      urn: `do:app:${id}`,
      live_url: app.live_url ?? "",
      region: spec.region ?? "",
      deployment_phase: (app.in_progress_deployment ?? app.active_deployment)?.phase ?? "",
    },
    inputs: made as unknown as Partial<GatewayInput>,
  };
}
