import { createCipheriv, createHash, randomBytes } from "node:crypto";
import type { Account, Thing } from "../account.ts";
import { asText, listOf, textOf } from "./answers.ts";

/** Zones that a region group stands for. */
const groups = ["nyc", "ams", "fra", "lon", "sfo", "sgp", "syd", "tor", "blr", "atl"];
const components = ["services", "workers", "jobs", "static_sites", "functions"] as const;
const cipherKey = createHash("sha256").update("app platform").digest();

/** Why the platform refuses a spec, or nothing. */
export function checkSpec(account: Account, spec: Thing): string | undefined {
  const region = textOf(spec, "region");
  if (region !== undefined && !groups.includes(region)) return `region "${region}" is invalid`;
  const all = components.flatMap((kind) => listOf<Thing>(spec, kind));
  if (all.length === 0) return "app spec must have at least one component";
  const names = all.map((component) => asText(component["name"]));
  if (new Set(names).size !== names.length) return "component names must be unique";
  const bare = all.find(
    (component) => !["image", "git", "github", "gitlab", "bitbucket"].some((source) => component[source] !== undefined),
  );
  if (bare !== undefined) return `component "${asText(bare["name"])}" has no source`;
  const noKind = listOf<Thing>(spec, "jobs").find(
    (job) => job["kind"] === "SCHEDULED" && job["schedule"] === undefined,
  );
  if (noKind !== undefined) return `job "${asText(noKind["name"])}" needs a schedule`;
  const rules = listOf<Thing>((spec["ingress"] ?? {}) as Thing, "rules");
  const lost = rules.find(
    (rule) => rule["component"] !== undefined && !names.includes(asText((rule["component"] as Thing)["name"])),
  );
  if (lost !== undefined) return "ingress rule names a component that does not exist";
  const vpc = (spec["vpc"] as Thing | undefined)?.["id"];
  if (vpc !== undefined && account.vpcs.own(asText(vpc)) === undefined) return "vpc not found";
  const hidden = listOf<Thing>(spec, "services").find(
    (service) => service["http_port"] === undefined && listOf(service, "internal_ports").length > 0,
  );
  if (
    hidden !== undefined &&
    rules.some((rule) => (rule["component"] as Thing | undefined)?.["name"] === hidden["name"])
  ) {
    return "an internal service cannot be routed to";
  }
  return undefined;
}

/** The spec as the platform gives it back: defaults filled in, routes as ingress rules, secrets encrypted. */
export function settleSpec(spec: Thing): Thing {
  const made = structuredClone(spec);
  made["region"] ??= "nyc";
  const rules: Thing[] = [];
  for (const kind of ["services", "static_sites"] as const) {
    for (const component of listOf<Thing>(made, kind)) {
      const isInternal = component["http_port"] === undefined && listOf(component, "internal_ports").length > 0;
      if (kind === "services" && !isInternal) component["http_port"] ??= 8080;
      const routes = listOf<Thing>(component, "routes");
      delete component["routes"];
      const cors = component["cors"] as Thing | undefined;
      delete component["cors"];
      if (isInternal) continue;
      for (const route of routes.length > 0 ? routes : [{ path: "/" }]) {
        rules.push({
          match: { path: { prefix: route["path"] ?? "/" } },
          component: {
            name: component["name"]!,
            ...(route["preserve_path_prefix"] === true ? { preserve_path_prefix: true } : {}),
          },
          ...(cors === undefined ? {} : { cors }),
        });
      }
    }
  }
  const ingress = (made["ingress"] ?? {}) as Thing;
  if (listOf(ingress, "rules").length === 0 && rules.length > 0) ingress["rules"] = rules;
  if (Object.keys(ingress).length > 0) made["ingress"] = ingress;
  for (const kind of ["services", "workers", "jobs"] as const) {
    for (const component of listOf<Thing>(made, kind)) {
      component["instance_size_slug"] ??= "apps-s-1vcpu-0.5gb";
      if (component["autoscaling"] === undefined) component["instance_count"] ??= 1;
    }
  }
  for (const component of components.flatMap((kind) => listOf<Thing>(made, kind)))
    encryptSecrets(listOf<Thing>(component, "envs"));
  encryptSecrets(listOf<Thing>(made, "envs"));
  return made;
}

/** A secret's value comes back as `EV[…]`, and may be sent back as it came. */
function encryptSecrets(envs: readonly Thing[]): void {
  for (const env of envs) {
    env["scope"] ??= "RUN_AND_BUILD_TIME";
    const value = textOf(env, "value") ?? "";
    if (env["type"] !== "SECRET" || value.startsWith("EV[1:")) continue;
    const iv = randomBytes(16);
    const cipher = createCipheriv("aes-256-ctr", cipherKey, iv);
    env["value"] =
      `EV[1:${iv.toString("base64")}:${Buffer.concat([cipher.update(value), cipher.final()]).toString("base64")}]`;
  }
}
