import { ProviderFailure, type JsonObject, type ProviderDefinition } from "@wfctl/plugin-sdk";
import type { DigitalOceanClient } from "../client.ts";

type Hook = NonNullable<ProviderDefinition<DigitalOceanClient, object>["mapRequirements"]>;
type Request = Parameters<Hook>[0];
type Answer = Awaited<ReturnType<Hook>>;
type Requirement = Request["requirements"][number];

/** Of `RequirementRuntime`: unspecified, Kubernetes, App Platform. */
const runtimes: ReadonlySet<number> = new Set([0, 1, 5]);

interface Derived {
  readonly type: string;
  readonly config: JsonObject;
  readonly note?: string;
}

/** By `RequirementKind`: what a need becomes here. Every module can be applied as it stands. */
const derive: Readonly<Record<number, (requirement: Requirement) => Derived>> = {
  1: () => ({
    type: "infra.container_service",
    config: {
      image: "otel/opentelemetry-collector-contrib:latest",
      expose: "internal",
      http_port: 4318,
      internal_ports: [4317],
      size: "xs",
    },
    note: "The collector listens for OTLP inside the app network; give it exporters through its configuration",
  }),
  2: () => ({
    type: "infra.container_service",
    config: { image: "${IMAGE}", http_port: 8080, size: "s" },
    note: "Set IMAGE to the image that serves the API",
  }),
  3: () => ({ type: "infra.database", config: { engine: "kafka", size: "db-s-2vcpu-2gb", num_nodes: 3 } }),
  4: () => ({ type: "infra.database", config: { engine: "pg", size: "s", num_nodes: 1 } }),
  5: () => ({ type: "infra.cache", config: { engine: "valkey", size: "xs", num_nodes: 1 } }),
  6: (requirement) => ({
    type: "infra.storage",
    config: { acl: "private" },
    note: `Bucket names are shared by all the world: rename the module of "${requirement.key}" if its name is taken`,
  }),
};

/** Turns the needs of an application into modules of this provider. */
export async function mapRequirements(request: Request): Promise<Answer> {
  if (request.provider !== "" && request.provider !== "digitalocean") {
    throw new ProviderFailure("validation", `This plugin maps needs to digitalocean, not to "${request.provider}"`);
  }
  const accepted: string[] = [];
  const rejected: { key: string; code: string; message: string }[] = [];
  const modules: { name: string; type: string; satisfies: string[]; configJson: Uint8Array }[] = [];
  const notes: { key: string; message: string; interactive: boolean }[] = [];
  for (const requirement of request.requirements) {
    const { key, kind } = requirement;
    const make = derive[kind];
    if (!runtimes.has(request.runtime)) {
      rejected.push({
        key,
        code: "runtime_unsupported",
        message: "DigitalOcean runs containers on App Platform and Kubernetes",
      });
      continue;
    }
    if (make === undefined) {
      rejected.push({ key, code: "kind_unsupported", message: "DigitalOcean has nothing for a need of this kind" });
      continue;
    }
    const { type, config, note } = make(requirement);
    accepted.push(key);
    modules.push({ name: nameOf(key), type, satisfies: [key], configJson: Buffer.from(JSON.stringify(config)) });
    if (note !== undefined) notes.push({ key, message: note, interactive: false });
  }
  return { acceptedKeys: accepted, rejected, modules, notes };
}

/** A name that every type takes: small letters, digits and hyphens, at most 32. */
function nameOf(key: string): string {
  return key
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 32)
    .replace(/-+$/, "");
}
