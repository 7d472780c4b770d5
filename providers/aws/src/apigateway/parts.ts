import type { Authorizer, Integration, Route } from "@aws-sdk/client-apigatewayv2";
import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { defined, isSame } from "../json.ts";
import { collect } from "../paging.ts";
import { orUnoffered } from "../stand-in.ts";
import type { ApiInput, AuthorizerInput, IntegrationInput, RouteInput } from "./schema.ts";

const next = (token: string | undefined) => (token === undefined ? {} : { NextToken: token });

export async function listIntegrations({ apigatewayv2 }: Aws, ApiId: string): Promise<Integration[]> {
  return collect(async (token) => {
    const page = await apigatewayv2.getIntegrations({ ApiId, ...next(token) });
    return [page.Items, page.NextToken] as const;
  });
}

export async function listAuthorizers(cloud: Aws, ApiId: string): Promise<Authorizer[]> {
  const found = await orUnoffered(cloud, "apigatewayv2:GetAuthorizers", "an API is taken to have none", () =>
    collect(async (token) => {
      const page = await cloud.apigatewayv2.getAuthorizers({ ApiId, ...next(token) });
      return [page.Items, page.NextToken] as const;
    }),
  );
  return found ?? [];
}

export async function listRoutes({ apigatewayv2 }: Aws, ApiId: string): Promise<Route[]> {
  return collect(async (token) => {
    const page = await apigatewayv2.getRoutes({ ApiId, ...next(token) });
    return [page.Items, page.NextToken] as const;
  });
}

/** An integration has neither name nor tags: its description is its name. */
export const integrationName = (live: Integration): string => live.Description ?? live.IntegrationId ?? "";

/** Makes and changes integrations. Returns the id of each by name, and the ids of those that are not wanted. */
export async function syncIntegrations(
  { apigatewayv2 }: Aws,
  ApiId: string,
  live: readonly Integration[],
  { integrations = {}, protocol }: ApiInput,
): Promise<{ ids: Record<string, string>; surplus: string[] }> {
  const ids: Record<string, string> = {};
  for (const [name, wanted] of Object.entries(integrations)) {
    // A create that lost its answer leaves a second one: the first stays.
    const found = live
      .filter((each) => integrationName(each) === name)
      .toSorted((a, b) => ((a.IntegrationId ?? "") < (b.IntegrationId ?? "") ? -1 : 1))[0];
    const settings = integrationSettings(wanted, protocol);
    if (found === undefined) {
      const made = await apigatewayv2.createIntegration({ ApiId, Description: name, ...settings });
      ids[name] = made.IntegrationId ?? "";
      continue;
    }
    const id = found.IntegrationId ?? "";
    ids[name] = id;
    if (isSame(integrationSettings(toIntegration(found), protocol, wanted), settings) && found.Description === name) {
      continue;
    }
    const gone = Object.keys(found.RequestParameters ?? {}).filter((key) => !(key in wanted.request_parameters));
    const parameters = { ...wanted.request_parameters, ...Object.fromEntries(gone.map((key) => [key, ""])) };
    await apigatewayv2.updateIntegration({
      ApiId,
      IntegrationId: id,
      Description: name,
      ...settings,
      ...(Object.keys(parameters).length === 0 ? {} : { RequestParameters: parameters }),
    });
  }
  const kept = new Set(Object.values(ids));
  return { ids, surplus: live.map((each) => each.IntegrationId ?? "").filter((id) => !kept.has(id)) };
}

/** `only`: leaves out what this configuration does not say. */
function integrationSettings(each: IntegrationInput, protocol: ApiInput["protocol"], only?: IntegrationInput) {
  const isLambda = each.type === "AWS_PROXY" && each.subtype === undefined;
  const isSaid = (key: keyof IntegrationInput): boolean => only === undefined || only[key] !== undefined;
  return defined({
    IntegrationType: each.type,
    IntegrationUri: each.uri,
    IntegrationMethod: each.type === "MOCK" || each.subtype !== undefined ? undefined : methodOf(each),
    IntegrationSubtype: each.subtype,
    PayloadFormatVersion: each.payload_format_version ?? (isLambda && protocol === "HTTP" ? "2.0" : "1.0"),
    TimeoutInMillis: isSaid("timeout_ms") ? each.timeout_ms : undefined,
    ConnectionType: each.connection_id === undefined ? ("INTERNET" as const) : ("VPC_LINK" as const),
    ConnectionId: each.connection_id,
    CredentialsArn: each.credentials_arn,
    RequestParameters: Object.keys(each.request_parameters).length === 0 ? undefined : each.request_parameters,
    TlsConfig: each.tls_server_name === undefined ? undefined : { ServerNameToVerify: each.tls_server_name },
  });
}

function methodOf({ type, method }: IntegrationInput): string {
  return method ?? (type === "AWS_PROXY" || type === "AWS" ? "POST" : "ANY");
}

/** An integration as the configuration would say it. */
export function toIntegration(live: Integration): IntegrationInput {
  return defined({
    type: live.IntegrationType ?? "AWS_PROXY",
    uri: live.IntegrationUri,
    method: live.IntegrationMethod,
    subtype: live.IntegrationSubtype,
    payload_format_version: live.PayloadFormatVersion as IntegrationInput["payload_format_version"],
    timeout_ms: live.TimeoutInMillis,
    connection_id: live.ConnectionId,
    credentials_arn: live.CredentialsArn,
    request_parameters: live.RequestParameters ?? {},
    tls_server_name: live.TlsConfig?.ServerNameToVerify,
  }) as IntegrationInput;
}

/** Makes and changes authorizers. Returns the id of each by name, and the ids of those that are not wanted. */
export async function syncAuthorizers(
  { apigatewayv2 }: Aws,
  ApiId: string,
  live: readonly Authorizer[],
  wanted: readonly AuthorizerInput[],
): Promise<{ ids: Record<string, string>; surplus: string[] }> {
  const ids: Record<string, string> = {};
  for (const each of wanted) {
    const found = live.find(({ Name }) => Name === each.name);
    const settings = authorizerSettings(each);
    if (found === undefined) {
      const made = await apigatewayv2.createAuthorizer({ ApiId, Name: each.name, ...settings });
      ids[each.name] = made.AuthorizerId ?? "";
      continue;
    }
    ids[each.name] = found.AuthorizerId ?? "";
    const now = { ...toAuthorizer(found), ...onlySaid(each, toAuthorizer(found)) };
    if (isSame(authorizerSettings(now), settings)) continue;
    await apigatewayv2.updateAuthorizer({ ApiId, AuthorizerId: found.AuthorizerId ?? "", ...settings });
  }
  const kept = new Set(Object.values(ids));
  return { ids, surplus: live.map((each) => each.AuthorizerId ?? "").filter((id) => !kept.has(id)) };
}

/** What the configuration leaves to API Gateway is no difference. */
function onlySaid(wanted: AuthorizerInput, live: AuthorizerInput) {
  const said = <Key extends keyof AuthorizerInput>(key: Key) => (wanted[key] === undefined ? undefined : live[key]);
  return {
    result_ttl_seconds: said("result_ttl_seconds"),
    payload_format_version: said("payload_format_version"),
    enable_simple_responses: said("enable_simple_responses"),
  };
}

function authorizerSettings(each: AuthorizerInput) {
  const isJwt = each.type === "JWT";
  return defined({
    AuthorizerType: each.type,
    IdentitySource: each.identity_sources,
    JwtConfiguration: isJwt ? defined({ Issuer: each.issuer, Audience: each.audience }) : undefined,
    AuthorizerUri: each.authorizer_uri,
    AuthorizerCredentialsArn: each.credentials_arn,
    AuthorizerResultTtlInSeconds: each.result_ttl_seconds,
    AuthorizerPayloadFormatVersion: each.payload_format_version ?? (isJwt ? undefined : "2.0"),
    EnableSimpleResponses: each.enable_simple_responses,
  });
}

export function toAuthorizer(live: Authorizer): AuthorizerInput {
  return defined({
    name: live.Name ?? "",
    type: live.AuthorizerType ?? "JWT",
    identity_sources: live.IdentitySource ?? [],
    issuer: live.JwtConfiguration?.Issuer,
    audience: live.JwtConfiguration?.Audience ?? [],
    authorizer_uri: live.AuthorizerUri,
    credentials_arn: live.AuthorizerCredentialsArn,
    result_ttl_seconds: live.AuthorizerResultTtlInSeconds,
    payload_format_version: live.AuthorizerPayloadFormatVersion as AuthorizerInput["payload_format_version"],
    enable_simple_responses: live.EnableSimpleResponses,
  }) as AuthorizerInput;
}

/** Exactly these routes. */
export async function syncRoutes(
  { apigatewayv2 }: Aws,
  ApiId: string,
  live: readonly Route[],
  wanted: readonly RouteInput[],
  ids: { integrations: Readonly<Record<string, string>>; authorizers: Readonly<Record<string, string>> },
): Promise<void> {
  for (const each of wanted) {
    const settings = {
      Target: `integrations/${ids.integrations[each.integration] ?? ""}`,
      AuthorizationType: each.authorization_type,
      AuthorizationScopes: each.authorization_scopes,
      ...(each.operation_name === undefined ? {} : { OperationName: each.operation_name }),
    };
    const authorizer = each.authorizer === undefined ? undefined : ids.authorizers[each.authorizer];
    const found = live.find(({ RouteKey }) => RouteKey === each.route_key);
    if (found === undefined) {
      const more = authorizer === undefined ? {} : { AuthorizerId: authorizer };
      await apigatewayv2.createRoute({ ApiId, RouteKey: each.route_key, ...settings, ...more });
      continue;
    }
    const now = {
      Target: found.Target,
      AuthorizationType: found.AuthorizationType ?? "NONE",
      AuthorizationScopes: found.AuthorizationScopes ?? [],
      ...(each.operation_name === undefined ? {} : { OperationName: found.OperationName }),
    };
    if (isSame(now, settings) && (found.AuthorizerId ?? "") === (authorizer ?? "")) continue;
    const more = authorizer === undefined && found.AuthorizerId === undefined ? {} : { AuthorizerId: authorizer ?? "" };
    await apigatewayv2.updateRoute({ ApiId, RouteId: found.RouteId ?? "", ...settings, ...more });
  }
  for (const { RouteKey: key, RouteId = "" } of live) {
    if (!wanted.some((each) => each.route_key === key)) await orAbsent(apigatewayv2.deleteRoute({ ApiId, RouteId }));
  }
}

/** A route as the configuration would say it */
export function toRoute(
  live: Route,
  integrations: readonly Integration[],
  authorizers: readonly Authorizer[],
): RouteInput {
  const target = live.Target?.split("/")[1];
  const integration = integrations.find(({ IntegrationId }) => IntegrationId === target);
  return defined({
    route_key: live.RouteKey ?? "",
    integration: integration === undefined ? "" : integrationName(integration),
    authorization_type: live.AuthorizationType ?? "NONE",
    authorizer: authorizers.find(({ AuthorizerId }) => AuthorizerId === live.AuthorizerId)?.Name,
    authorization_scopes: live.AuthorizationScopes ?? [],
    operation_name: live.OperationName,
  }) as RouteInput;
}
