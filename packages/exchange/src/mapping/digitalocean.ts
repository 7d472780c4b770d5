import type { PartMapping, ProviderMapping, ReadAttribute, TypeMapping } from "./type-mapping.ts";

const id = (read: ReadAttribute): string => read("id");
const name = (read: ReadAttribute): string => read("name") || read("id");
const token = (member: string): string => {
  const kind = member.charAt(0).toLowerCase() + member.slice(1);
  return `digitalocean:index/${kind}:${member}`;
};

const types: readonly TypeMapping[] = [
  {
    terraform: ["digitalocean_vpc"],
    pulumi: [token("Vpc")],
    type: "infra.vpc",
    id,
    from: "id",
  },
  {
    terraform: ["digitalocean_droplet"],
    pulumi: [token("Droplet")],
    type: "infra.droplet",
    id,
    from: "id",
  },
  {
    terraform: ["digitalocean_droplet_autoscale"],
    pulumi: [token("DropletAutoscale")],
    type: "infra.autoscaling_group",
    id,
    from: "id",
  },
  {
    terraform: ["digitalocean_volume"],
    pulumi: [token("Volume")],
    type: "infra.volume",
    id,
    from: "id",
  },
  {
    terraform: ["digitalocean_database_cluster"],
    pulumi: [token("DatabaseCluster")],
    type(read) {
      const engine = read("engine");
      if (engine === "redis") return { why: "managed Redis has ended at DigitalOcean" };
      return engine === "valkey" ? "infra.cache" : "infra.database";
    },
    id,
    from: "id",
  },
  {
    terraform: ["digitalocean_app"],
    pulumi: [token("App")],
    type: "infra.container_service",
    id,
    from: "id",
  },
  {
    terraform: ["digitalocean_domain"],
    pulumi: [token("Domain")],
    type: "infra.dns",
    id: name,
    from: "name",
  },
  {
    terraform: ["digitalocean_firewall"],
    pulumi: [token("Firewall")],
    type: "infra.firewall",
    id,
    from: "id",
  },
  {
    terraform: ["digitalocean_loadbalancer"],
    pulumi: [token("LoadBalancer")],
    type: "infra.load_balancer",
    id,
    from: "id",
  },
  {
    terraform: ["digitalocean_kubernetes_cluster"],
    pulumi: [token("KubernetesCluster")],
    type: "infra.k8s_cluster",
    id,
    from: "id",
  },
  {
    terraform: ["digitalocean_container_registry"],
    pulumi: [token("ContainerRegistry")],
    type: "infra.registry",
    id: name,
    from: "name",
  },
  {
    terraform: ["digitalocean_spaces_bucket"],
    pulumi: [token("SpacesBucket")],
    type: "infra.storage",
    id: name,
    from: "name",
  },
  {
    terraform: ["digitalocean_spaces_key"],
    pulumi: [token("SpacesKey")],
    type: "infra.spaces_key",
    id: (read) => read("access_key") || read("id"),
    from: "access_key",
  },
  {
    terraform: ["digitalocean_certificate"],
    pulumi: [token("Certificate")],
    // The id is the name: a renewal changes the certificate's own.
    type: "infra.certificate",
    id: (read) => read("uuid") || read("id"),
    from: "uuid",
  },
];

const parts: readonly PartMapping[] = [
  {
    type: "infra.database",
    key: "users, databases and trusted_sources",
    terraform: [
      "digitalocean_database_connection_pool",
      "digitalocean_database_db",
      "digitalocean_database_firewall",
      "digitalocean_database_kafka_topic",
      "digitalocean_database_mysql_config",
      "digitalocean_database_postgresql_config",
      "digitalocean_database_user",
    ],
    pulumi: ["DatabaseConnectionPool", "DatabaseDb", "DatabaseFirewall", "DatabaseUser"].map(token),
  },
  {
    type: "infra.dns",
    key: "records",
    terraform: ["digitalocean_record"],
    pulumi: [token("DnsRecord")],
  },
  {
    type: "infra.k8s_cluster",
    key: "node pools",
    terraform: ["digitalocean_kubernetes_node_pool"],
    pulumi: [token("KubernetesNodePool")],
  },
  {
    type: "infra.storage",
    key: "its own keys",
    terraform: [
      "digitalocean_spaces_bucket_cors_configuration",
      "digitalocean_spaces_bucket_logging",
      "digitalocean_spaces_bucket_policy",
    ],
    pulumi: ["SpacesBucketCorsConfiguration", "SpacesBucketPolicy"].map(token),
  },
  {
    type: "infra.droplet",
    key: "volumes",
    terraform: ["digitalocean_volume_attachment"],
    pulumi: [token("VolumeAttachment")],
  },
  {
    type: "infra.registry",
    key: "its own keys",
    terraform: ["digitalocean_container_registry_docker_credentials"],
    pulumi: [token("ContainerRegistryDockerCredentials")],
  },
];

export const digitalocean: ProviderMapping = { foreign: "digitalocean", provider: "digitalocean", types, parts };
