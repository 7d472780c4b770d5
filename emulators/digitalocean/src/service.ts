import type { RateState, Refusal, Reply, Service } from "@wfctl/emulator-core";
import { createAccount, inspectAccount, type Account } from "./account.ts";
import { loadDescription } from "./description/load.ts";
import { actions } from "./services/actions.ts";
import { fail, notFound } from "./services/answers.ts";
import { apps, logLines } from "./services/apps.ts";
import { autoscale } from "./services/autoscale.ts";
import { catalogue } from "./services/catalogue.ts";
import { cdn } from "./services/cdn.ts";
import { certificates } from "./services/certificates.ts";
import { databases } from "./services/databases.ts";
import { domains } from "./services/domains.ts";
import { droplets } from "./services/droplets.ts";
import { firewalls } from "./services/firewalls.ts";
import { kubernetes } from "./services/kubernetes.ts";
import { loadBalancers } from "./services/load-balancers.ts";
import { registries } from "./services/registries.ts";
import { spacesKeys } from "./services/spaces-keys.ts";
import { sshKeys } from "./services/ssh-keys.ts";
import { tags } from "./services/tags.ts";
import { volumes } from "./services/volumes.ts";
import { vpcs } from "./services/vpcs.ts";

/** DigitalOcean's API on the emulator's core. */
export function createDigitalOceanService(): Service<Account> {
  return {
    title: "DigitalOcean API",
    description: loadDescription(),
    handlers: {
      ...actions,
      ...apps,
      ...autoscale,
      ...catalogue,
      ...cdn,
      ...certificates,
      ...databases,
      ...domains,
      ...droplets,
      ...firewalls,
      ...kubernetes,
      ...loadBalancers,
      ...registries,
      ...spacesKeys,
      ...sshKeys,
      ...tags,
      ...volumes,
      ...vpcs,
    },
    createAccount,
    inspect: inspectAccount,
    refuse,
    headers: rateHeaders,
    stream: (url) => (url.pathname === "/_logs/live" ? liveLines(url.searchParams) : undefined),
    extra({ url }): Reply | undefined {
      if (url.pathname !== "/_logs/historic") return undefined;
      return {
        status: 200,
        body: Buffer.from(`${logLines(url.searchParams, 200).join("\n")}\n`),
        headers: { "content-type": "text/plain" },
      };
    },
  };
}

function refuse(refusal: Refusal): Reply {
  switch (refusal.kind) {
    case "unauthorized":
      return fail(401, "unauthorized", "Unable to authenticate you");
    case "rate_limited":
      return {
        ...fail(429, "too_many_requests", "API Rate limit exceeded."),
        headers: { "retry-after": String(Math.max(1, Math.ceil(refusal.retryAfterMs / 1000))) },
      };
    case "no_route":
      return refusal.methods.length === 0 ? notFound() : fail(405, "method_not_allowed", "Method not allowed");
    case "bad_json":
      return fail(400, "bad_request", "The request body could not be parsed as JSON");
    case "not_emulated":
      return fail(501, "not_emulated", `The emulator has no ${refusal.operation.id}`);
    case "invalid": {
      const text = refusal.violations
        .map(({ path, message }) => `${path.replace(/^(body|query|path)\.?/, "")} ${message}`.trim())
        .join("; ");
      const isPath = refusal.violations.every(({ path }) => path.startsWith("path"));
      return isPath ? notFound() : fail(422, "unprocessable_entity", text);
    }
  }
}

function rateHeaders({ limit, remaining, resetAt }: RateState): Readonly<Record<string, string>> {
  return {
    "ratelimit-limit": String(limit),
    "ratelimit-remaining": String(remaining),
    "ratelimit-reset": String(Math.ceil(resetAt / 1000)),
  };
}

/** A few lines, each as the platform sends them, and then the end. */
async function* liveLines(query: URLSearchParams): AsyncGenerator<string> {
  for (const line of logLines(query, 3)) yield JSON.stringify({ data: `${line} (live)\n` });
}
