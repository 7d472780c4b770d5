import { parseArn } from "../ids.ts";
import { shortHash } from "../naming.ts";

/** Where a service is, and the names of the parts that belong to it. All follow from its ARN. */
export interface ServicePlace {
  readonly arn: string;
  readonly region: string;
  readonly cluster: string;
  readonly service: string;
}

export function servicePlace(
  where: { partition: string; accountId: string; region: string },
  cluster: string,
  service: string,
): ServicePlace {
  const { partition, accountId, region } = where;
  return { arn: `arn:${partition}:ecs:${region}:${accountId}:service/${cluster}/${service}`, region, cluster, service };
}

/** The place that an ARN names; undefined where it is none of a service. Old ARNs leave the cluster out. */
export function parseServiceArn(text: string): ServicePlace | undefined {
  const arn = parseArn(text);
  if (arn?.service !== "ecs") return undefined;
  const [, cluster = "default", service] = /^service\/(?:([^/]+)\/)?([^/]+)$/.exec(arn.resource) ?? [];
  return service === undefined ? undefined : { arn: text, region: arn.region, cluster, service };
}

export const familyOf = ({ cluster, service }: ServicePlace): string => `${cluster}-${service}`.slice(0, 255);
export const logGroupPrefix = "/ecs/";
export const logGroupOf = ({ cluster, service }: ServicePlace): string => `${logGroupPrefix}${cluster}/${service}`;
export const executionRolePattern = /-[\da-f]{8}-execution$/;
export const executionRoleOf = ({ arn, service }: ServicePlace): string =>
  `${service.slice(0, 44)}-${shortHash(arn)}-execution`;
