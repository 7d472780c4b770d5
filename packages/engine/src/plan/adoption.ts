import type { DesiredResource, JsonObject } from "@wfctl/model";

/** Types whose objects upstream always looks for before it creates them. */
export function isAdoptedByType(type: string): boolean {
  return type === "infra.dns" || type === "infra.dns_delegation";
}

/** Where a plan looks for an object to take over: DNS zones by configured id or domain, all else by name. */
export function adoptionId(resource: Pick<DesiredResource, "type">, config: JsonObject): string {
  const given = config["provider_id"];
  if (typeof given === "string") return given;
  const domain = config["domain"];
  return isAdoptedByType(resource.type) && typeof domain === "string" ? domain : "";
}
