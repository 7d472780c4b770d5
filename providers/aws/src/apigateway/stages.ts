import type { Stage } from "@aws-sdk/client-apigatewayv2";
import { canonicalJson, type Json } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { defined, isSame } from "../json.ts";
import { shortHash } from "../naming.ts";
import { collect } from "../paging.ts";
import type { Tags } from "../tags.ts";
import type { ApiInput, StageInput } from "./schema.ts";

export async function listStages({ apigatewayv2 }: Aws, ApiId: string): Promise<Stage[]> {
  return collect(async (token) => {
    const page = await apigatewayv2.getStages({ ApiId, ...(token === undefined ? {} : { NextToken: token }) });
    return [page.Items, page.NextToken] as const;
  });
}

/** Exactly these stages. */
export async function syncStages(
  cloud: Aws,
  ApiId: string,
  live: readonly Stage[],
  wanted: { readonly input: ApiInput; readonly tags: Tags },
): Promise<void> {
  const { apigatewayv2 } = cloud;
  const { input, tags } = wanted;
  // HTTP APIs deploy by themselves. WebSocket APIs serve what was deployed last.
  const deployment = input.protocol === "HTTP" ? {} : { DeploymentId: await ensureDeployment(cloud, ApiId, input) };
  for (const stage of input.stages ?? []) {
    const found = live.find(({ StageName }) => StageName === stage.name);
    const settings = {
      ...settingsOf(stage),
      ...deployment,
      ...(input.protocol === "HTTP" ? { AutoDeploy: true } : {}),
    };
    if (found === undefined) {
      await apigatewayv2.createStage({ ApiId, StageName: stage.name, ...settings, Tags: tags });
      continue;
    }
    const deployed =
      input.protocol === "HTTP" ? { AutoDeploy: found.AutoDeploy } : { DeploymentId: found.DeploymentId };
    if (isSame({ ...settingsOf(toStage(found, stage)), ...deployed }, settings)) continue;
    const gone = Object.keys(found.StageVariables ?? {}).filter((key) => !(key in stage.variables));
    const variables = { ...stage.variables, ...Object.fromEntries(gone.map((key) => [key, ""])) };
    await apigatewayv2.updateStage({ ApiId, StageName: stage.name, ...settings, StageVariables: variables });
  }
  for (const { StageName = "" } of live) {
    const isWanted = (input.stages ?? []).some(({ name }) => name === StageName);
    if (!isWanted) await orAbsent(apigatewayv2.deleteStage({ ApiId, StageName }));
  }
}

/** A deployment of what the routes say now, known by the digest in its description. */
async function ensureDeployment({ apigatewayv2 }: Aws, ApiId: string, input: ApiInput): Promise<string> {
  const { routes = [], integrations = {}, authorizers = [] } = input;
  const content = JSON.parse(JSON.stringify({ routes, integrations, authorizers })) as Json;
  const digest = `wfctl:${shortHash(canonicalJson(content), 16)}`;
  const deployments = await collect(async (token) => {
    const page = await apigatewayv2.getDeployments({ ApiId, ...(token === undefined ? {} : { NextToken: token }) });
    return [page.Items, page.NextToken] as const;
  });
  const found = deployments.find(({ Description }) => Description === digest);
  const made = found ?? (await apigatewayv2.createDeployment({ ApiId, Description: digest }));
  return made.DeploymentId ?? "";
}

function settingsOf(stage: StageInput) {
  return {
    Description: stage.description,
    StageVariables: stage.variables,
    DefaultRouteSettings: defined({
      DetailedMetricsEnabled: stage.detailed_metrics,
      ThrottlingBurstLimit: stage.throttling_burst_limit,
      ThrottlingRateLimit: stage.throttling_rate_limit,
    }),
    ...(stage.access_log_arn === undefined
      ? {}
      : { AccessLogSettings: { DestinationArn: stage.access_log_arn, Format: stage.access_log_format } }),
  };
}

/** A stage as the configuration would say it; `like` leaves out limits that it does not say. */
export function toStage(live: Stage, like?: StageInput): StageInput {
  const { DefaultRouteSettings: settings = {}, AccessLogSettings: log } = live;
  const burst = settings.ThrottlingBurstLimit;
  const rate = settings.ThrottlingRateLimit;
  return defined({
    name: live.StageName ?? "",
    description: live.Description ?? "",
    variables: live.StageVariables ?? {},
    throttling_burst_limit: like !== undefined && like.throttling_burst_limit === undefined ? undefined : burst,
    throttling_rate_limit: like !== undefined && like.throttling_rate_limit === undefined ? undefined : rate,
    detailed_metrics: settings.DetailedMetricsEnabled ?? false,
    access_log_arn: log?.DestinationArn,
    access_log_format: log?.Format,
  }) as StageInput;
}
