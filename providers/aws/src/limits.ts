import type { LimiterOptions } from "@wfctl/plugin-sdk";
import type { ServiceName } from "./client.ts";

/**
 * What AWS grants an account and region by default, or a careful guess where it does not say. Accounts with more are
 * not slowed down by much: the bursts cover a usual stack.
 */
const rates: Readonly<Record<ServiceName, { readonly read: LimiterOptions; readonly write: LimiterOptions }>> = {
  acm: both(10, 10),
  apigatewayv2: both(10, 20),
  autoscaling: both(10, 20),
  ec2: { read: { ratePerSecond: 20, burst: 100 }, write: { ratePerSecond: 5, burst: 50 } },
  ecr: both(10, 20),
  ecs: { read: { ratePerSecond: 20, burst: 50 }, write: { ratePerSecond: 5, burst: 25 } },
  eks: both(10, 20),
  elasticache: both(10, 20),
  elbv2: both(10, 40),
  iam: { read: { ratePerSecond: 20, burst: 60 }, write: { ratePerSecond: 10, burst: 30 } },
  logs: { read: { ratePerSecond: 10, burst: 20 }, write: { ratePerSecond: 10, burst: 20 } },
  rds: both(10, 20),
  route53: both(5, 5),
  s3: both(100, 200),
  sts: both(50, 100),
};

/** Name of the API family that a call counts for. */
export function familyOf(service: ServiceName, reads: boolean): string {
  return `${service}:${reads ? "read" : "write"}`;
}

export const limits: Readonly<Record<string, LimiterOptions>> = Object.fromEntries(
  (Object.entries(rates) as [ServiceName, (typeof rates)[ServiceName]][]).flatMap(([service, { read, write }]) => [
    [familyOf(service, true), read],
    [familyOf(service, false), write],
  ]),
);

function both(ratePerSecond: number, burst: number) {
  return { read: { ratePerSecond, burst }, write: { ratePerSecond, burst } };
}
