/** Keys at the top of a stack file that are read here. */
export const ownTopKeys = [
  "name",
  "imports",
  "modules",
  "environments",
  "secrets",
  "secretStores",
  "infra",
  "on_failure",
  "moved",
  "import",
  "outputs",
  "variables",
  "components",
] as const;

/** Keys at the top that belong to other parts of an application: accepted, not read. */
export const passedTopKeys = [
  "ci",
  "services",
  "mesh",
  "networking",
  "security",
  "sidecars",
  "requires",
  "plugins",
  "vars",
  "workflows",
  "triggers",
  "pipelines",
  "platform",
  "infrastructure",
] as const;

export const moduleKeys = [
  "name",
  "type",
  "protected",
  "satisfies",
  "config",
  "dependsOn",
  "branches",
  "environments",
  "lifecycle",
  "timeouts",
  "existing",
  "adopt_existing",
] as const;

export const moduleEnvironmentKeys = ["strategy", "provider", "config", "dockerImage", "port", "connection"] as const;

export const environmentKeys = [
  "provider",
  "region",
  "envVars",
  "secretsProvider",
  "secretsPrefix",
  "secretsStoreOverride",
  "approvalRequired",
  "exposure",
  "build",
  "variables",
] as const;

/**
 * Keys inside `config` of a resource that the host reads or may fill in; they reach the provider, and a type's schema
 * need not name them.
 */
export const hostConfigKeys = [
  "name",
  "region",
  "provider",
  "iac_provider",
  "size",
  "depends_on",
  "protected",
  "adopt_existing",
] as const;

export const resourceKinds = [
  "container_service",
  "k8s_cluster",
  "database",
  "cache",
  "vpc",
  "load_balancer",
  "dns",
  "registry",
  "api_gateway",
  "firewall",
  "iam_role",
  "storage",
  "certificate",
  "autoscaling_group",
] as const;

/** Names of modules: state keys and items of comma-separated flags. A name with a dot cannot be referred to. */
export const modulePattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
/** Names of stacks and environments: parts of paths and keys in stores. */
export const stackPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
export const typePattern = /^infra\.[a-z0-9_]+(?:\.[a-z0-9_]+)*$/;

/** The environment of a stack that declares none. */
export const defaultEnvironment = "default";
