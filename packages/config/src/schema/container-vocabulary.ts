import { isExpression, isJsonObject, pathToPointer, type Diagnostic, type Value } from "@wfctl/model";
import { hostConfigKeys } from "../names.ts";
import { suggest } from "../suggest.ts";
import type { ValidateOptions } from "./validate.ts";

/** Keys that container services of every provider have in common. */
const canonicalKeys: ReadonlySet<string> = new Set([
  ...hostConfigKeys,
  "image",
  "build_command",
  "run_command",
  "dockerfile_path",
  "source_dir",
  "http_port",
  "internal_ports",
  "protocol",
  "vpc_ref",
  "routes",
  "cors",
  "domains",
  "ingress",
  "egress",
  "instance_count",
  "autoscaling",
  "env_vars",
  "env_vars_secret",
  "secret_env_vars",
  "health_check",
  "liveness_check",
  "alerts",
  "log_destinations",
  "termination",
  "maintenance",
  "jobs",
  "workers",
  "static_sites",
  "sidecars",
  "provider_specific",
]);

const names = ["name", "image", "run_command", "env_vars", "env_vars_secret"];
const shapes: Readonly<Record<string, readonly string[]>> = {
  jobs: [...names, "kind", "cron", "termination", "alerts", "log_destinations"],
  workers: [
    ...names,
    "instance_count",
    "size",
    "autoscaling",
    "health_check",
    "resources",
    "termination",
    "alerts",
    "log_destinations",
  ],
  static_sites: ["name", "build_command", "output_dir", "env_vars", "routes", "cors", "domains", "alerts"],
  sidecars: [...names, "ports", "resources", "health_check", "shares_network_with"],
  internal_ports: ["name", "port", "protocol", "public"],
  autoscaling: ["min", "max", "cpu_percent", "memory_percent"],
  health_check: [
    "http_path",
    "tcp_port",
    "port",
    "initial_delay_seconds",
    "period_seconds",
    "timeout_seconds",
    "success_threshold",
    "failure_threshold",
  ],
  liveness_check: [
    "http_path",
    "tcp_port",
    "port",
    "initial_delay_seconds",
    "period_seconds",
    "timeout_seconds",
    "success_threshold",
    "failure_threshold",
  ],
  routes: ["path", "preserve_path_prefix"],
  domains: ["name", "zone", "type", "wildcard"],
  cors: ["allow_origins", "allow_methods", "allow_headers", "expose_headers", "allow_credentials", "max_age"],
  alerts: ["rule", "operator", "value", "window", "disabled"],
  log_destinations: ["name", "endpoint", "headers", "tls"],
  termination: ["drain_seconds", "grace_period_seconds"],
  maintenance: ["window", "enabled"],
  ingress: ["load_balancer", "rules"],
  egress: ["bandwidth", "rules"],
};

/**
 * Keys of a container service that look like a misspelt one of the common vocabulary, as warnings: for providers that have
 * no schema of their own, which take what they know and pass over the rest in silence.
 */
export function checkContainerKeys(
  config: { readonly [key: string]: Value },
  options: Pick<ValidateOptions, "address" | "locate"> = {},
): Diagnostic[] {
  const found: Diagnostic[] = [];
  const check = (value: Value, known: ReadonlySet<string>, path: readonly (string | number)[]): void => {
    if (!isJsonObject(value) || isExpression(value)) return;
    for (const [key, member] of Object.entries(value)) {
      const near = known.has(key) ? undefined : suggest(key, known);
      if (near !== undefined) found.push(misspelt(key, near, [...path, key], options));
      const shape = known.has(key) ? shapes[key] : undefined;
      if (shape === undefined) continue;
      const inner = new Set(shape);
      const items: readonly Value[] = Array.isArray(member) ? (member as readonly Value[]) : [member];
      for (const [index, item] of items.entries()) {
        check(item, inner, Array.isArray(member) ? [...path, key, index] : [...path, key]);
      }
    }
  };
  check(config, canonicalKeys, []);
  return found;
}

function misspelt(
  key: string,
  near: string,
  path: readonly (string | number)[],
  { address, locate }: Pick<ValidateOptions, "address" | "locate">,
): Diagnostic {
  const pointer = `/config${pathToPointer(path)}`;
  const source = locate?.(pointer, "key");
  return {
    severity: "warning",
    code: "CONFIG_INVALID",
    summary: `The key "${key}" is not one that container services have in common`,
    hint: `Did you mean "${near}"?`,
    ...(address === undefined ? {} : { address }),
    path: pointer,
    ...(source === undefined ? {} : { source }),
  };
}
