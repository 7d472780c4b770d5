import { z } from "@wfctl/plugin-sdk";

export interface Place {
  /** As AWS knows the object. */
  readonly native: string;
  readonly region: string;
}

export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly accountId: string;
  readonly resource: string;
}

const inRegion = /^(.+)@([a-z]{2}(?:-[a-z]+)+-\d)$/;

/** The provider id of an object: AWS's own id, and `id@region` outside the provider's region. */
export function toProviderId(native: string, region: string, home: string): string {
  return region === home ? native : `${native}@${region}`;
}

/** What a provider id, or an ARN, says about where the object is. */
export function parseProviderId(id: string, home: string): Place {
  const [, native, region] = inRegion.exec(id) ?? [];
  if (native !== undefined && region !== undefined) return { native, region };
  const arn = parseArn(id);
  return { native: id, region: arn === undefined || arn.region === "" ? home : arn.region };
}

export function parseArn(text: string): Arn | undefined {
  const [, partition, service, region, accountId, resource] =
    /^arn:([\w-]+):([\w-]+):([\w-]*):(\d*):(.+)$/.exec(text) ?? [];
  if (partition === undefined || service === undefined || resource === undefined) return undefined;
  return { partition, service, region: region ?? "", accountId: accountId ?? "", resource };
}

const atEndpoint = /^(.*)#([a-z][a-z0-9-]{0,30})$/s;

/** The id of an object at one of the provider's `resource_endpoints`. */
export function toEndpointId(id: string, endpoint: string): string {
  return `${id}#${endpoint}`;
}

/** What an id says of the endpoint; undefined: the provider's own. */
export function parseEndpoint(id: string): { readonly native: string; readonly endpoint: string | undefined } {
  const [, native, endpoint] = atEndpoint.exec(id) ?? [];
  return native === undefined ? { native: id, endpoint: undefined } : { native, endpoint };
}

/** An id that a reference may give with its region and endpoint: they are dropped. */
export const nativeId = (example: string) =>
  z
    .string()
    .min(1)
    .overwrite((id) => {
      const { native } = parseEndpoint(id);
      return inRegion.exec(native)?.[1] ?? native;
    })
    .describe(`Such as ${example}`);

export const regionInput = z
  .string()
  .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, { error: 'expected a region such as "eu-central-1"' })
  .optional()
  .describe("Default: the provider's region");

export const endpointName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, { error: "expected at most 31 lower-case letters, digits and hyphens" });

export const endpointInput = endpointName
  .optional()
  .describe("One of the provider's resource_endpoints. Default: the provider's endpoint");
