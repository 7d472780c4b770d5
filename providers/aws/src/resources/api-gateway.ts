import type { Api } from "@aws-sdk/client-apigatewayv2";
import { notFound, ProviderFailure, type NotFound, type ResourceState } from "@wfctl/plugin-sdk";
import {
  integrationName,
  listAuthorizers,
  listIntegrations,
  listRoutes,
  syncAuthorizers,
  syncIntegrations,
  syncRoutes,
  toAuthorizer,
  toIntegration,
  toRoute,
} from "../apigateway/parts.ts";
import {
  apiInput,
  apiOutputs,
  optionalApiKeys,
  type ApiInput,
  type ApiOutputs,
  type Cors,
} from "../apigateway/schema.ts";
import { listStages, syncStages, toStage } from "../apigateway/stages.ts";
import { aws, type Aws, type Context } from "../calls.ts";
import { makeMarked } from "../marked.ts";
import { orAbsent } from "../errors.ts";
import { parseArn, parseProviderId, toProviderId } from "../ids.ts";
import { defined, isSame } from "../json.ts";
import { managedKeys, managesMark } from "../managed.ts";
import { creationTags, currentTags, logicalName, nameTag, ownerOf, searchTags, tokenTag } from "../ownership.ts";
import { each } from "../paging.ts";
import { searchRegions } from "../regions.ts";
import { tagChanges, userTags, type Tags } from "../tags.ts";
import { asCreated, defineAwsResource } from "./define.ts";

type State = ResourceState<ApiInput, ApiOutputs>;
type Key = (typeof optionalApiKeys)[number];

/** An HTTP or WebSocket API with its integrations, authorizers, routes and stages. Its id is the API's. */
export const apiGateway = defineAwsResource<ApiInput, ApiOutputs>({
  type: "infra.api_gateway",
  service: "apigatewayv2",
  description: "API Gateway v2: HTTP and WebSocket APIs",
  input: apiInput,
  outputs: apiOutputs,
  forceNew: ["protocol", "region"],
  resetWhenUnset: [...optionalApiKeys],
  unordered: ["authorizers", "routes", "stages", "cors.allow_origins", "cors.allow_methods", "cors.allow_headers"],
  settledBy: { api_name: "api_name" },
  createFirst: true,
  convergentCreate: true,
  settleMs: 15_000,
  timeouts: { create: 600_000, update: 600_000, delete: 300_000 },
  tier: 3,

  async create({ name, input }, context) {
    const cloud = aws(context, input.region);
    const { apigatewayv2 } = cloud;
    const { id, isNew } = await makeMarked(cloud, `API ${name}`, {
      find: async () => (await apisWhere(cloud, tokenTag, context.clientToken)).map(({ ApiId }) => ApiId ?? ""),
      make: () => makeApi(cloud, name, input),
      remove: (ApiId) => orAbsent(apigatewayv2.deleteApi({ ApiId })),
    });
    context.partial(toProviderId(id, cloud.region, context.client.region), { api_id: id });
    await sync(cloud, await getApi(cloud, id), name, input);
    return asCreated(await describeNow(cloud, id), isNew);
  },

  async read(ref, context) {
    return ref.id === "" ? readByName(ref.name, context) : readApi(ref.id, context);
  },

  async update(ref, { name, input }, context) {
    const { cloud, id } = placeOf(ref.id, context);
    const api = await findApi(cloud, id);
    if (api === undefined) return notFound(`API "${id}" does not exist`);
    await sync(cloud, api, name, input);
    return describeNow(cloud, id);
  },

  async delete(ref, context) {
    const { cloud, id } = placeOf(ref.id, context);
    await orAbsent(cloud.apigatewayv2.deleteApi({ ApiId: id }));
  },

  async lookup({ token }, context) {
    const found = await searchRegions(context, async (cloud) => {
      const [api] = await apisWhere(cloud, tokenTag, token);
      return api === undefined ? undefined : describe(cloud, api);
    });
    return found ?? notFound();
  },

  async import(id, context) {
    const found = await readApi(id, context, { all: true });
    return "notFound" in found ? readByName(id, context, { all: true }) : found;
  },

  async *list(context) {
    const cloud = aws(context);
    for await (const api of apis(cloud)) yield describe(cloud, api);
  },

  async setMarks(ref, marks, context) {
    const { cloud, id } = placeOf(ref.id, context);
    const request = { ResourceArn: await arnOf(cloud, id), Tags: marks };
    const answer = await orAbsent(cloud.apigatewayv2.tagResource(request));
    return answer === undefined ? notFound() : undefined;
  },
});

function placeOf(text: string, context: Context): { cloud: Aws; id: string } {
  const { native, region } = parseProviderId(text, context.client.region);
  const id = /^\/apis\/([^/]+)$/.exec(parseArn(native)?.resource ?? "")?.[1] ?? native;
  return { cloud: aws(context, region), id };
}

async function arnOf({ client, context, region }: Aws, id: string): Promise<string> {
  const { partition } = await client.identity(context.signal);
  return `arn:${partition}:apigateway:${region}::/apis/${id}`;
}

async function findApi({ apigatewayv2 }: Aws, id: string): Promise<Api | undefined> {
  if (!/^[\da-z]{1,32}$/.test(id)) return undefined;
  return (await orAbsent(apigatewayv2.getApi({ ApiId: id }))) as Api | undefined;
}

async function getApi({ apigatewayv2 }: Aws, id: string): Promise<Api> {
  return (await apigatewayv2.getApi({ ApiId: id })) as Api;
}

function apis({ apigatewayv2 }: Aws): AsyncGenerator<Api> {
  return each(async (token) => {
    const page = await apigatewayv2.getApis(token === undefined ? {} : { NextToken: token });
    return [page.Items, page.NextToken] as const;
  });
}

async function apisWhere(cloud: Aws, tag: string, value: string): Promise<Api[]> {
  const found: Api[] = [];
  for await (const api of apis(cloud)) if (api.Tags?.[tag] === value) found.push(api);
  return found;
}

async function readApi(text: string, context: Context, options: { all?: boolean } = {}): Promise<State | NotFound> {
  const { cloud, id } = placeOf(text, context);
  const api = await findApi(cloud, id);
  return api === undefined ? notFound() : describe(cloud, api, options);
}

/** By the name that the configuration gives it, else by the API's own. */
async function readByName(name: string, context: Context, options: { all?: boolean } = {}): Promise<State | NotFound> {
  const cloud = aws(context);
  const [own] = await apisWhere(cloud, nameTag, name);
  if (own !== undefined) return describe(cloud, own, options);
  const named: Api[] = [];
  for await (const api of apis(cloud)) if (api.Name === name) named.push(api);
  if (named.length > 1) {
    const ids = named.map(({ ApiId }) => ApiId).join(", ");
    throw new ProviderFailure(
      "validation",
      `${named.length} APIs are named "${name}" (${ids}): give the id of the one that is meant`,
    );
  }
  return named[0] === undefined ? notFound() : describe(cloud, named[0], options);
}

async function makeApi(cloud: Aws, name: string, input: ApiInput): Promise<string> {
  const { apigatewayv2, context } = cloud;
  const { ApiId: id = "" } = await apigatewayv2.createApi({
    Name: input.api_name ?? name,
    ProtocolType: input.protocol,
    Description: input.description,
    RouteSelectionExpression: input.route_selection_expression,
    DisableExecuteApiEndpoint: input.disable_execute_api_endpoint,
    ...(input.cors === undefined ? {} : { CorsConfiguration: corsSettings(input.cors) }),
    Tags: { ...creationTags(context, name, input.tags), ...managesMark(input, optionalApiKeys) },
  });
  return id;
}

/** Brings the API and its parts to what is wanted, from whatever is there. */
async function sync(cloud: Aws, api: Api, name: string, input: ApiInput): Promise<void> {
  const { apigatewayv2, context } = cloud;
  const { ApiId: id = "", Tags: live = {} } = api;
  const managed = managedKeys(live, optionalApiKeys);
  const wants = (key: Key): boolean => input[key] !== undefined || managed.includes(key);

  const settings = {
    Name: input.api_name ?? api.Name ?? name,
    Description: input.description,
    RouteSelectionExpression: input.route_selection_expression,
    DisableExecuteApiEndpoint: input.disable_execute_api_endpoint,
  };
  const now = {
    Name: api.Name,
    Description: api.Description ?? "",
    RouteSelectionExpression: api.RouteSelectionExpression,
    DisableExecuteApiEndpoint: api.DisableExecuteApiEndpoint ?? false,
  };
  const hasOtherCors = input.cors !== undefined && !isSame(corsOf(api), input.cors);
  if (!isSame(now, settings) || hasOtherCors) {
    const cors = input.cors === undefined ? {} : { CorsConfiguration: corsSettings(input.cors) };
    await apigatewayv2.updateApi({ ApiId: id, ...settings, ...cors });
  }
  if (wants("cors") && input.cors === undefined && corsOf(api) !== undefined) {
    await orAbsent(apigatewayv2.deleteCorsConfiguration({ ApiId: id }));
  }
  const integrations = await syncIntegrations(cloud, id, await listIntegrations(cloud, id), input);
  const authorizers = await syncAuthorizers(cloud, id, await listAuthorizers(cloud, id), input.authorizers ?? []);
  if (wants("routes")) {
    const ids = { integrations: integrations.ids, authorizers: authorizers.ids };
    await syncRoutes(cloud, id, await listRoutes(cloud, id), input.routes ?? [], ids);
  }
  const tags = currentTags(context, name, input.tags, live);
  if (wants("stages")) await syncStages(cloud, id, await listStages(cloud, id), { input, tags: { ...input.tags } });
  if (wants("integrations")) {
    for (const each of integrations.surplus) {
      await orAbsent(apigatewayv2.deleteIntegration({ ApiId: id, IntegrationId: each }));
    }
  }
  if (wants("authorizers")) {
    for (const each of authorizers.surplus) {
      await orAbsent(apigatewayv2.deleteAuthorizer({ ApiId: id, AuthorizerId: each }));
    }
  }
  await syncTags(cloud, id, live, { ...tags, ...managesMark(input, optionalApiKeys) });
}

async function syncTags(cloud: Aws, id: string, live: Tags, wanted: Tags): Promise<void> {
  const { set, remove } = tagChanges(live, wanted);
  const arn = await arnOf(cloud, id);
  if (Object.keys(set).length > 0) await cloud.apigatewayv2.tagResource({ ResourceArn: arn, Tags: set });
  if (remove.length > 0) await cloud.apigatewayv2.untagResource({ ResourceArn: arn, TagKeys: remove });
}

function corsSettings(cors: Cors) {
  return {
    AllowOrigins: cors.allow_origins,
    AllowMethods: cors.allow_methods,
    AllowHeaders: cors.allow_headers,
    ExposeHeaders: cors.expose_headers,
    AllowCredentials: cors.allow_credentials,
    MaxAge: cors.max_age_seconds,
  };
}

function corsOf({ CorsConfiguration: live }: Api): Cors | undefined {
  if (live === undefined || live === null) return undefined;
  return {
    allow_origins: live.AllowOrigins ?? [],
    allow_methods: live.AllowMethods ?? [],
    allow_headers: live.AllowHeaders ?? [],
    expose_headers: live.ExposeHeaders ?? [],
    allow_credentials: live.AllowCredentials ?? false,
    max_age_seconds: live.MaxAge ?? 0,
  };
}

/** After a write: without inputs, which the input just applied stands in for. */
async function describeNow(cloud: Aws, id: string): Promise<State> {
  const { inputs: _inputs, ...state } = await describe(cloud, await getApi(cloud, id));
  return state;
}

async function describe(cloud: Aws, api: Api, options: { all?: boolean } = {}): Promise<State> {
  const { ApiId: id = "", Tags: tags = {}, Name: apiName = "", ApiEndpoint: endpoint = "", ProtocolType } = api;
  const protocol = ProtocolType ?? "HTTP";
  const managed: readonly Key[] = options.all === true ? optionalApiKeys : managedKeys(tags, optionalApiKeys);
  const [integrations, authorizers, routes, stages, where] = await Promise.all([
    listIntegrations(cloud, id),
    managed.includes("authorizers") || managed.includes("routes") ? listAuthorizers(cloud, id) : [],
    managed.includes("routes") ? listRoutes(cloud, id) : [],
    listStages(cloud, id),
    cloud.client.identity(cloud.context.signal),
  ]);
  const parts = defined({
    cors: corsOf(api),
    integrations: Object.fromEntries(integrations.map((live) => [integrationName(live), toIntegration(live)])),
    authorizers: authorizers.map(toAuthorizer),
    routes: routes.map((live) => toRoute(live, integrations, authorizers)),
    stages: stages.map((live) => toStage(live)),
  });
  const inputs = {
    api_name: apiName,
    region: cloud.region,
    protocol,
    description: api.Description ?? "",
    route_selection_expression: api.RouteSelectionExpression ?? "",
    disable_execute_api_endpoint: api.DisableExecuteApiEndpoint ?? false,
    ...Object.fromEntries(Object.entries(parts).filter(([key]) => managed.includes(key as Key))),
    tags: userTags(tags, { defaults: cloud.client.config.default_tags }),
  };
  const { partition, accountId } = where;
  const outputs = {
    api_id: id,
    arn: await arnOf(cloud, id),
    api_name: apiName,
    protocol,
    endpoint,
    region: cloud.region,
    execution_arn: `arn:${partition}:execute-api:${cloud.region}:${accountId}:${id}`,
    integration_ids: Object.fromEntries(integrations.map((live) => [integrationName(live), live.IntegrationId ?? ""])),
    stage_urls: Object.fromEntries(
      stages.map(({ StageName: stage = "" }) => [stage, stage === "$default" ? endpoint : `${endpoint}/${stage}`]),
    ),
    tags_all: tags,
  };
  return {
    id: toProviderId(id, cloud.region, cloud.client.region),
    name: logicalName(tags, apiName),
    owner: ownerOf(tags),
    tags: searchTags(tags),
    outputs,
    inputs: inputs as Partial<ApiInput>,
  };
}
