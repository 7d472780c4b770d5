import { z } from "@wfctl/plugin-sdk";
import { endpointInput, regionInput } from "../ids.ts";
import { tagMap } from "../tags.ts";

const partName = z.string().regex(/^[\w-]{1,128}$/, { error: "expected letters, digits, hyphens and underscores" });
const arn = z.string().startsWith("arn:", { error: "expected an ARN" });

const cors = z.strictObject({
  allow_origins: z.array(z.string()).default([]),
  allow_methods: z.array(z.string()).default([]),
  allow_headers: z.array(z.string()).default([]),
  expose_headers: z.array(z.string()).default([]),
  allow_credentials: z.boolean().default(false),
  max_age_seconds: z.number().int().min(-1).max(86_400).default(0),
});
export type Cors = z.output<typeof cors>;

const integration = z
  .strictObject({
    type: z
      .enum(["AWS_PROXY", "HTTP_PROXY", "AWS", "HTTP", "MOCK"])
      .default("AWS_PROXY")
      .describe("AWS, HTTP and MOCK are for WebSocket APIs"),
    uri: z.string().min(1).optional().describe("ARN of a Lambda function or listener, or an address"),
    method: z
      .string()
      .regex(/^[A-Z]+$/)
      .optional()
      .describe("Default: POST for Lambda functions, else ANY"),
    subtype: z.string().optional().describe("Service action, such as SQS-SendMessage"),
    payload_format_version: z
      .enum(["1.0", "2.0"])
      .optional()
      .describe("Default: 2.0 for functions of HTTP APIs, else 1.0"),
    timeout_ms: z.number().int().min(50).max(30_000).optional(),
    connection_id: z.string().optional().describe("VPC link"),
    credentials_arn: arn.optional(),
    request_parameters: z.record(z.string(), z.string()).default({}),
    tls_server_name: z.string().optional(),
  })
  .refine((each) => each.uri !== undefined || each.type === "MOCK" || each.subtype !== undefined, {
    error: "set uri",
  });
export type IntegrationInput = z.output<typeof integration>;

const authorizer = z
  .strictObject({
    name: partName,
    type: z.enum(["JWT", "REQUEST"]).default("JWT"),
    identity_sources: z.array(z.string().startsWith("$")).min(1).default(["$request.header.Authorization"]),
    issuer: z.url().optional().describe("Of JWT"),
    audience: z.array(z.string()).default([]).describe("Of JWT"),
    authorizer_uri: arn.optional().describe("Invocation ARN of a Lambda function"),
    credentials_arn: arn.optional(),
    result_ttl_seconds: z.number().int().min(0).max(3600).optional(),
    payload_format_version: z.enum(["1.0", "2.0"]).optional(),
    enable_simple_responses: z.boolean().optional(),
  })
  .refine((each) => (each.type === "JWT" ? each.issuer !== undefined : each.authorizer_uri !== undefined), {
    error: "JWT needs issuer, REQUEST needs authorizer_uri",
  });
export type AuthorizerInput = z.output<typeof authorizer>;

const route = z.strictObject({
  route_key: z.string().min(1).describe('Such as "GET /orders/{id}", "$default", or a WebSocket action'),
  integration: partName.describe("Name of an integration"),
  authorization_type: z.enum(["NONE", "AWS_IAM", "JWT", "CUSTOM"]).default("NONE"),
  authorizer: partName.optional().describe("Name of an authorizer"),
  authorization_scopes: z.array(z.string()).default([]),
  operation_name: z.string().max(64).optional(),
});
export type RouteInput = z.output<typeof route>;

const stage = z
  .strictObject({
    name: z.string().regex(/^(?:\$default|[\w-]{1,128})$/, { error: 'expected a name or "$default"' }),
    description: z.string().max(1024).default(""),
    variables: z.record(z.string(), z.string()).default({}),
    throttling_burst_limit: z.number().int().min(0).optional(),
    throttling_rate_limit: z.number().min(0).optional(),
    detailed_metrics: z.boolean().default(false),
    access_log_arn: arn.optional().describe("Log group or Firehose stream"),
    access_log_format: z.string().optional().describe("Default: JSON with the usual fields"),
  })
  .transform((each) =>
    each.access_log_arn === undefined || each.access_log_format !== undefined
      ? each
      : { ...each, access_log_format: defaultLogFormat },
  );
export type StageInput = z.output<typeof stage>;

const defaultLogFormat = JSON.stringify({
  requestId: "$context.requestId",
  ip: "$context.identity.sourceIp",
  time: "$context.requestTime",
  routeKey: "$context.routeKey",
  status: "$context.status",
  responseLength: "$context.responseLength",
});

/** Parts of an API that are left alone while the configuration does not name them. */
export const optionalApiKeys = ["cors", "integrations", "authorizers", "routes", "stages"] as const;

export const apiInput = z
  .strictObject({
    api_name: z.string().min(1).max(128).optional().describe("Default: the resource's name"),
    region: regionInput,
    endpoint: endpointInput,
    protocol: z.enum(["HTTP", "WEBSOCKET"]).default("HTTP"),
    description: z.string().max(1024).default(""),
    route_selection_expression: z
      .string()
      .optional()
      .describe("Default: $request.method $request.path, of WebSocket $request.body.action"),
    disable_execute_api_endpoint: z.boolean().default(false),
    cors: cors.optional(),
    integrations: z.record(partName, integration).optional().describe("By name, and no others"),
    authorizers: z.array(authorizer).optional().describe("These, and no others"),
    routes: z.array(route).optional().describe("These, and no others"),
    stages: z.array(stage).min(1).optional().describe('Default with routes: "$default", of WebSocket "live"'),
    tags: tagMap.default({}),
  })
  .superRefine((input, context) => {
    const complain = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: "custom", path, message });
    const { routes = [], integrations = {}, authorizers = [], stages = [] } = input;
    for (const [index, each] of routes.entries()) {
      if (!(each.integration in integrations)) {
        complain(["routes", index, "integration"], `there is no integration "${each.integration}"`);
      }
      const needs = each.authorization_type === "JWT" || each.authorization_type === "CUSTOM";
      if (needs !== (each.authorizer !== undefined)) {
        complain(["routes", index, "authorizer"], 'authorizer belongs to authorization_type "JWT" or "CUSTOM"');
      } else if (each.authorizer !== undefined && !authorizers.some(({ name }) => name === each.authorizer)) {
        complain(["routes", index, "authorizer"], `there is no authorizer "${each.authorizer}"`);
      }
    }
    for (const [key, names] of [
      ["routes", routes.map((each) => each.route_key)],
      ["authorizers", authorizers.map((each) => each.name)],
      ["stages", stages.map((each) => each.name)],
    ] as const) {
      if (new Set(names).size < names.length) complain([key], "two have one name");
    }
    if (input.protocol === "WEBSOCKET") {
      if (input.cors !== undefined) complain(["cors"], "a WebSocket API has no cors");
      if (stages.some(({ name }) => name === "$default")) complain(["stages"], "a WebSocket API has no stage $default");
    } else {
      for (const [index, { route_key: key }] of routes.entries()) {
        if (!/^(?:\$default|[A-Z]+ \/\S*)$/.test(key)) {
          complain(
            ["routes", index, "route_key"],
            'expected a method and a path, such as "GET /orders", or "$default"',
          );
        }
      }
    }
  })
  .transform((input) => ({
    ...input,
    route_selection_expression:
      input.route_selection_expression ??
      (input.protocol === "HTTP" ? "$request.method $request.path" : "$request.body.action"),
    ...(input.stages === undefined && input.routes !== undefined
      ? { stages: [stage.parse({ name: input.protocol === "HTTP" ? "$default" : "live" })] }
      : {}),
  }));
export type ApiInput = z.output<typeof apiInput>;

export const apiOutputs = z.object({
  api_id: z.string(),
  arn: z.string(),
  api_name: z.string(),
  protocol: z.string(),
  endpoint: z.string(),
  region: z.string(),
  execution_arn: z.string().describe("For permissions of Lambda functions"),
  integration_ids: z.record(z.string(), z.string()),
  stage_urls: z.record(z.string(), z.string()),
  tags_all: z.record(z.string(), z.string()),
});
export type ApiOutputs = z.output<typeof apiOutputs>;
