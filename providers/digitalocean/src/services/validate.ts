import {
  isJsonObject,
  type Json,
  type JsonObject,
  type PlanDiagnostic,
  type ProviderDefinition,
} from "@wfctl/plugin-sdk";
import type { Context } from "../calls.ts";
import type { DigitalOceanClient } from "../client.ts";
import { groupOf } from "../regions.ts";
import { listRegions } from "./regions.ts";

type Plan = Parameters<NonNullable<ProviderDefinition<DigitalOceanClient, object>["validatePlan"]>>[0];

interface Planned {
  readonly name: string;
  readonly type: string;
  readonly config: JsonObject;
}

/** Types that live in a group of zones instead of one zone. */
const grouped: ReadonlySet<string> = new Set(["infra.container_service", "infra.api_gateway"]);
/** Types without a region. */
const nowhere: ReadonlySet<string> = new Set([
  "infra.app_domain",
  "infra.certificate",
  "infra.dns",
  "infra.firewall",
  "infra.iam_role",
  "infra.spaces_key",
]);
const vpcKeys = ["vpc_ref", "vpc_uuid", "private_network_uuid"];

/** What the schemas cannot see: regions that are closed or unknown, and networks of another region. */
export async function validatePlan(plan: Plan, context: Context): Promise<PlanDiagnostic[]> {
  const planned = plan.actions.flatMap(({ action, resource }): Planned[] =>
    resource === undefined || action === "delete"
      ? []
      : [{ name: resource.name, type: resource.type, config: parse(resource.configJson) }],
  );
  const regions = await listRegions(context);
  const byName = new Map(planned.map((each) => [each.name, each]));
  const defaultRegion = context.client.config.region;
  const regionOf = ({ config }: Planned): string => textOf(config["region"]) ?? defaultRegion;
  const findings: PlanDiagnostic[] = [];
  for (const each of planned) {
    if (nowhere.has(each.type)) continue;
    const isGrouped = grouped.has(each.type);
    const place = regionOf(each);
    if (place.includes("${")) continue;
    const fitting = regions.filter(({ slug }) => (isGrouped ? groupOf(slug) === groupOf(place) : slug === place));
    if (fitting.length === 0) {
      findings.push({
        severity: "warning",
        resource: each.name,
        field: "region",
        message: `DigitalOcean lists no region "${place}"`,
      });
    } else if (!fitting.some(({ available }) => available)) {
      findings.push({
        severity: "error",
        resource: each.name,
        field: "region",
        message: `Region "${place}" takes nothing new`,
      });
    }
    findings.push(...checkNetworks(each, place, isGrouped, byName, regionOf));
  }
  return findings;
}

function checkNetworks(
  each: Planned,
  place: string,
  isGrouped: boolean,
  byName: ReadonlyMap<string, Planned>,
  regionOf: (planned: Planned) => string,
): PlanDiagnostic[] {
  return vpcKeys.flatMap((key): PlanDiagnostic[] => {
    const target = /^\$\{([\w-]+)\.\w+\}$/.exec(textOf(each.config[key]) ?? "")?.[1];
    const network = target === undefined ? undefined : byName.get(target);
    if (network === undefined) return [];
    const base = { severity: "error" as const, resource: each.name, field: key };
    if (network.type !== "infra.vpc")
      return [{ ...base, message: `"${network.name}" is of type ${network.type}, expected infra.vpc` }];
    const there = regionOf(network);
    const isSame = isGrouped ? groupOf(there) === groupOf(place) : there === place;
    return isSame ? [] : [{ ...base, message: `Network "${network.name}" is in ${there}, "${each.name}" in ${place}` }];
  });
}

function parse(bytes: Uint8Array): JsonObject {
  const text = new TextDecoder().decode(bytes);
  const found = (text === "" ? {} : JSON.parse(text)) as Json;
  return isJsonObject(found) ? found : {};
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
