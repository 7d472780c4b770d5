import { alreadyExists, notFound, ProviderFailure, z, type ResourceState } from "@wfctl/plugin-sdk";
import { given, renameKeys } from "../aliases.ts";
import { getApp, locateApp, updateApp, type App, type AppDomain } from "../app/apps.ts";
import type { DomainSpec } from "../app/spec-types.ts";
import { api, findItem, type Context } from "../calls.ts";
import { awaitThat } from "../waiting.ts";
import { scopes } from "../permissions.ts";
import { defineDoResource } from "./define.ts";

const input = z
  .strictObject({
    app: z.string().optional().describe("Name or id of the app"),
    app_id: z.string().optional().describe("Alias of app"),
    domain: z
      .string()
      .min(4)
      .transform((text) => text.replace(/\.$/, "").toLowerCase())
      .optional()
      .describe("Default: the resource's name, where that is a domain name"),
    type: z.enum(["PRIMARY", "ALIAS"]).optional(),
    zone: z.string().optional().describe("Domain of this account in which App Platform keeps the records"),
    wildcard: z.boolean().default(false),
    certificate: z.string().optional(),
    minimum_tls_version: z.enum(["1.2", "1.3"]).optional(),
    wait_for_active: z
      .boolean()
      .default(false)
      .describe("Wait until the domain is served; it needs its records for that"),
  })
  .transform(renameKeys({ app_id: "app" }))
  .refine((value): value is typeof value & { app: string } => value.app !== undefined, {
    error: "is required, as app or app_id",
    path: ["app"],
  });
type DomainInput = z.output<typeof input>;

const outputs = z.object({
  app_id: z.string(),
  app: z.string(),
  domain: z.string(),
  type: z.string(),
  zone: z.string(),
  certificate: z.string(),
  minimum_tls_version: z.string(),
  wildcard: z.boolean(),
  phase: z.string(),
  domain_id: z.string(),
  certificate_expires_at: z.string(),
  validations: z.array(z.unknown()),
  validation_txt_name: z.string(),
  validation_txt_value: z.string(),
  progress: z.array(z.unknown()),
  default_ingress: z.string(),
});
type Outputs = z.output<typeof outputs>;

/** One domain of an app that another resource makes. Its id is `app-id/domain`. */
export const appDomain = defineDoResource<DomainInput, Outputs>({
  type: "infra.app_domain",
  description: "Domain of an App Platform app",
  input,
  outputs,
  forceNew: ["app", "domain"],
  resetWhenUnset: ["type", "zone", "certificate", "minimum_tls_version"],
  writeOnly: ["wait_for_active"],
  onlyAtCreation: ["wait_for_active"],
  permissions: scopes("app"),
  timeouts: { create: 1_800_000, update: 1_800_000, delete: 600_000 },
  tier: 2,

  async create({ name, input: wanted }, context) {
    const domain = domainOf(wanted, name);
    const app = await requireApp(context, wanted.app);
    if (findSpec(app, domain) !== undefined) {
      return alreadyExists(`Domain "${domain}" is there already on app "${app.spec.name}": adopt it`);
    }
    return { ...(await write(context, app.id, domain, wanted)), created: true };
  },

  async read(ref, context) {
    const { app, domain } = await locate(ref, context);
    return app === undefined || findSpec(app, domain) === undefined ? notFound() : describe(app, domain);
  },

  async update(ref, { input: wanted }, context) {
    const { app, domain } = await locate(ref, context);
    if (app === undefined || findSpec(app, domain) === undefined) return notFound();
    return write(context, app.id, domain, wanted);
  },

  async delete(ref, context) {
    const { app, domain } = await locate(ref, context);
    if (app === undefined) return notFound();
    return context.client.exclusive(app.id, async () => {
      const now = await getApp(context, app.id);
      if (now === undefined || findSpec(now, domain) === undefined) return notFound();
      const { domains, ...spec } = now.spec;
      const left = (domains ?? []).filter((each) => each.domain !== domain);
      await updateApp(context, now.id, left.length === 0 ? spec : { ...spec, domains: left });
      return undefined;
    });
  },

  async *list(context) {
    for await (const app of api(context).list<App>("apps", "apps")) {
      for (const { domain } of app.spec.domains ?? []) yield describe(app, domain);
    }
  },

  async health(ref, context) {
    const { app, domain } = await locate(ref, context);
    const phase = (app === undefined ? undefined : findLive(app, domain))?.phase;
    return { healthy: phase === "ACTIVE", message: phase?.toLowerCase() ?? "does not exist" };
  },

  diff(_desired, { outputs: known }, standard) {
    // The app may be named by its name or by its id.
    const isSame = (app: unknown): boolean => app === known["app"] || app === known["app_id"];
    return { changes: standard.changes.filter(({ path, new: wanted }) => path !== "app" || !isSame(wanted)) };
  },
});

/** Puts the domain into the app's spec, in turn with whatever else changes that app here. */
async function write(
  context: Context,
  appId: string,
  domain: string,
  wanted: DomainInput,
): Promise<ResourceState<DomainInput, Outputs>> {
  const { type, zone, certificate, minimum_tls_version, wildcard } = wanted;
  const spec = given({
    domain,
    type,
    zone,
    certificate: certificate || undefined,
    minimum_tls_version,
    wildcard: wildcard || undefined,
  }) as DomainSpec;
  const changed = await context.client.exclusive(appId, async () => {
    const now = await requireApp(context, appId);
    const others = (now.spec.domains ?? []).filter((each) => each.domain !== domain);
    return updateApp(context, appId, { ...now.spec, domains: [...others, spec] });
  });
  const id = `${appId}/${domain}`;
  context.partial(id);
  if (!wanted.wait_for_active) return describe(changed, domain);
  let phase = "PENDING";
  const active = await awaitThat(
    context,
    () => `domain ${domain} to be served (${phase.toLowerCase()})`,
    async () => {
      const app = await requireApp(context, appId);
      phase = findLive(app, domain)?.phase ?? "PENDING";
      if (phase === "ERROR")
        throw new ProviderFailure("unknown", `App Platform cannot serve domain "${domain}": check its records`);
      return phase === "ACTIVE" ? app : undefined;
    },
  );
  return describe(active, domain);
}

async function requireApp(context: Context, app: string): Promise<App> {
  const found = await locateApp({ id: app, name: app }, context);
  if (found === undefined) throw new ProviderFailure("validation", `App "${app}" does not exist`);
  return found;
}

function domainOf({ domain }: DomainInput, name: string): string {
  const wanted = domain ?? name.toLowerCase();
  if (wanted.includes(".")) return wanted;
  throw new ProviderFailure("validation", `domain: is required, as "${name}" is no domain name`);
}

async function locate(
  { id, name }: { id: string; name: string },
  context: Context,
): Promise<{ app: App | undefined; domain: string }> {
  if (id === "") {
    const wanted = name.toLowerCase();
    const apps = api(context).list<App>("apps", "apps");
    return { app: await findItem(apps, (each) => findSpec(each, wanted) !== undefined), domain: wanted };
  }
  const [app = "", domain = ""] = id.split("/", 2);
  if (app === "") return { app: undefined, domain };
  return { app: await locateApp({ id: app, name: app }, context), domain };
}

function findSpec({ spec }: App, domain: string): DomainSpec | undefined {
  return (spec.domains ?? []).find((each) => each.domain === domain);
}

function findLive({ domains }: App, domain: string): AppDomain | undefined {
  return (domains ?? []).find((each) => each.spec.domain === domain);
}

function describe(app: App, domain: string): ResourceState<DomainInput, Outputs> {
  const spec = findSpec(app, domain) ?? { domain };
  const live = findLive(app, domain);
  const [validation] = live?.validations ?? [];
  const type = spec.type === "PRIMARY" || spec.type === "ALIAS" ? spec.type : undefined;
  const tls = spec.minimum_tls_version as DomainInput["minimum_tls_version"];
  return {
    id: `${app.id}/${domain}`,
    name: domain,
    status: live?.phase === "ERROR" ? "degraded" : live?.phase === "ACTIVE" ? "running" : "unknown",
    outputs: {
      app_id: app.id,
      app: app.spec.name,
      domain,
      type: spec.type ?? "",
      zone: spec.zone ?? "",
      certificate: spec.certificate ?? "",
      minimum_tls_version: tls ?? "",
      wildcard: spec.wildcard ?? false,
      phase: live?.phase ?? "",
      domain_id: live?.id ?? "",
      certificate_expires_at: live?.certificate_expires_at ?? "",
      validations: [...(live?.validations ?? [])],
      validation_txt_name: validation?.txt_name ?? "",
      validation_txt_value: validation?.txt_value ?? "",
      progress: [...(live?.progress?.steps ?? [])],
      default_ingress: app.default_ingress ?? "",
    },
    inputs: {
      app: app.id,
      domain,
      wildcard: spec.wildcard ?? false,
      ...(given({
        type,
        zone: spec.zone,
        certificate: spec.certificate,
        minimum_tls_version: tls,
      }) as Partial<DomainInput>),
    },
  };
}
