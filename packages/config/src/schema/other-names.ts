/**
 * Keys that say the same in the configurations of several clouds. A group per line; a word may be in several: which one is
 * meant is decided by the keys that the type has.
 */
const groups: readonly (readonly string[])[] = [
  ["cidr", "ip_range", "subnet_cidr", "cidr_block", "address_space"],
  ["version", "engine_version", "database_version", "kubernetes_version"],
  [
    "size",
    "instance_class",
    "node_type",
    "instance_type",
    "machine_type",
    "vm_size",
    "node_size",
    "tier",
    "sku",
    "sku_name",
  ],
  ["num_nodes", "node_count", "num_cache_clusters", "capacity"],
  ["domain", "domain_name", "dns_name", "zone_name"],
  ["replicas", "instance_count", "desired_count"],
  ["ports", "http_port", "internal_ports"],
  ["command", "run_command"],
  ["env", "environment", "env_vars"],
  ["secret_env_vars", "env_vars_secret"],
  ["vpc_ref", "vpc_uuid", "vpc_id", "network"],
  ["size_gb", "allocated_storage", "storage_size_mib", "storage_gb"],
  ["inbound_rules", "ingress_rules", "rules"],
  ["outbound_rules", "egress_rules"],
  ["dns_names", "domains", "subject_alternative_names", "hostname"],
  ["bucket", "container_name"],
  ["region", "location"],
];

/** The key of `known` that other clouds call `key`, or undefined where there is none, or more than one. */
export function otherName(key: string, known: readonly string[]): string | undefined {
  const found = new Set(
    groups.filter((group) => group.includes(key)).flatMap((group) => group.filter((name) => known.includes(name))),
  );
  const [only, second] = found;
  return second === undefined ? only : undefined;
}
