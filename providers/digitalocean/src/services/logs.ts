import { ProviderFailure, type LogChunk, type ProviderDefinition } from "@wfctl/plugin-sdk";
import { locateApp } from "../app/apps.ts";
import { api, type Context } from "../calls.ts";
import type { DigitalOceanClient } from "../client.ts";
import { followLive } from "./live-logs.ts";

type Request = Parameters<NonNullable<ProviderDefinition<DigitalOceanClient, object>["captureLogs"]>>[0];

/** As `LogCaptureType` counts. */
const kinds = ["RUN", "BUILD", "DEPLOY", "RUN", "RUN_RESTARTED"] as const;
const defaultTail = 300;
const maxBytes = 10 * 1024 * 1024;
const downloadTimeoutMs = 30_000;

/** Logs of an app: what was written so far, and with `follow` what is written from now on. */
export async function* captureLogs(request: Request, context: Context): AsyncGenerator<LogChunk, void, undefined> {
  // Hosts that know one kind of app leave the type out.
  if (!["", "infra.container_service", "infra.api_gateway"].includes(request.resourceType)) {
    throw new ProviderFailure("unsupported", `Resources of type ${request.resourceType} have no logs at DigitalOcean`);
  }
  const app = await locateApp({ id: request.providerId, name: request.resourceName }, context);
  if (app === undefined) throw new ProviderFailure("not_found", `App "${request.resourceName}" does not exist`);
  const deployment = request.deploymentId === "" ? "" : `/deployments/${request.deploymentId}`;
  const component = request.componentName === "" ? "" : `/components/${encodeURIComponent(request.componentName)}`;
  const path = `apps/${app.id}${deployment}${component}/logs`;
  const query = { type: kinds[request.logType] ?? "RUN" };
  const past = await api(context).get<{ historic_urls?: readonly string[] | null }>(path, query);
  const text = await download(past.historic_urls ?? [], context.signal);
  const lines = tail(text, request.tailLines > 0 ? request.tailLines : defaultTail);
  if (lines !== "") yield { data: Buffer.from(lines), source: "historic" };
  if (request.follow) {
    const live = await api(context).get<{ live_url?: string }>(path, { ...query, follow: "true" });
    const limitMs = Number(request.durationSeconds) * 1000;
    if (live.live_url !== undefined && live.live_url !== "") yield* followLive(live.live_url, limitMs, context);
  }
  yield { data: new Uint8Array(), eof: true };
}

/** The addresses are signed: they are fetched without the token. */
async function download(urls: readonly string[], signal: AbortSignal): Promise<string> {
  const texts: string[] = [];
  let left = maxBytes;
  for (const url of urls) {
    if (left <= 0) break;
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(downloadTimeoutMs)]) });
    if (!response.ok) throw new ProviderFailure("transient", `Cannot download logs: status ${response.status}`);
    const text = await response.text();
    texts.push(text.slice(-left));
    left -= text.length;
  }
  return texts.join("");
}

function tail(text: string, count: number): string {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines
    .slice(-count)
    .map((line) => `${line}\n`)
    .join("");
}
