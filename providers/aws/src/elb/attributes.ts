import type { Aws } from "../calls.ts";
import { defined } from "../json.ts";
import type { BalancerInput } from "./schema.ts";

type Attributes = Readonly<Record<string, string>>;

export async function balancerAttributes({ elbv2 }: Aws, arn: string): Promise<Attributes> {
  const { Attributes: pairs = [] } = await elbv2.describeLoadBalancerAttributes({ LoadBalancerArn: arn });
  return Object.fromEntries(pairs.map(({ Key, Value }) => [Key ?? "", Value ?? ""]));
}

/** Writes the attributes that differ. `managed`: access logs go when they are not configured. */
export async function syncAttributes(cloud: Aws, arn: string, input: BalancerInput, managed: boolean): Promise<void> {
  const live = await balancerAttributes(cloud, arn);
  const { access_logs: logs } = input;
  const wanted: Record<string, string | undefined> = {
    "deletion_protection.enabled": String(input.deletion_protection),
    "idle_timeout.timeout_seconds": textOf(input.idle_timeout),
    "routing.http.drop_invalid_header_fields.enabled": textOf(input.drop_invalid_headers),
    "routing.http2.enabled": textOf(input.http2),
    "load_balancing.cross_zone.enabled": textOf(input.cross_zone),
    ...(logs === undefined
      ? { "access_logs.s3.enabled": managed ? "false" : undefined }
      : {
          "access_logs.s3.enabled": "true",
          "access_logs.s3.bucket": logs.bucket,
          "access_logs.s3.prefix": logs.prefix,
        }),
  };
  const changes = Object.entries(wanted).flatMap(([Key, Value]) =>
    Value === undefined || (live[Key] ?? "") === Value ? [] : [{ Key, Value }],
  );
  if (changes.length > 0) await cloud.elbv2.modifyLoadBalancerAttributes({ LoadBalancerArn: arn, Attributes: changes });
}

/** Attributes as the input has them. */
export function readAttributes(live: Attributes, type: string, managed: boolean) {
  const flag = (key: string): boolean | undefined => (live[key] === undefined ? undefined : live[key] === "true");
  const isApplication = type === "application";
  const timeout = live["idle_timeout.timeout_seconds"];
  const hasLogs = managed && live["access_logs.s3.enabled"] === "true";
  return defined({
    deletion_protection: flag("deletion_protection.enabled") ?? false,
    idle_timeout: isApplication && timeout !== undefined ? Number(timeout) : undefined,
    drop_invalid_headers: isApplication ? flag("routing.http.drop_invalid_header_fields.enabled") : undefined,
    http2: isApplication ? flag("routing.http2.enabled") : undefined,
    cross_zone: isApplication ? undefined : flag("load_balancing.cross_zone.enabled"),
    access_logs: hasLogs
      ? { bucket: live["access_logs.s3.bucket"] ?? "", prefix: live["access_logs.s3.prefix"] ?? "" }
      : undefined,
  });
}

function textOf(value: boolean | number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}
