/* oxlint-disable import/no-default-export, typescript/restrict-template-expressions -- a program is a default export, and its references compose as text */
/** The stack of ../infra.yaml as a program: what repeats there is said once here. */
import { defineStack, env, expr } from "@wfctl/stack";

const domain = env("DOMAIN");
const zones = ["a", "b"];

/** Two subnets of a kind, one in each zone. */
function subnets(kind: string, first: number, settings: { public?: boolean } = {}) {
  return Object.fromEntries(
    zones.map((zone, index) => [`${kind}-${zone}`, { cidr: `10.40.${first + index}.0/24`, zone, ...settings }]),
  );
}

export default defineStack({ name: "aws-web", onFailure: "compensate" }, (stack) => {
  stack.provider("cloud", "aws", { region: "eu-central-1", default_tags: { stack: "aws-web" } });

  const net = stack.resource("infra.vpc", "net", {
    cidr: "10.40.0.0/16",
    enable_dns_hostnames: true,
    nat_gateways: "single",
    gateway_endpoints: ["s3"],
    subnets: { ...subnets("public", 0, { public: true }), ...subnets("private", 10) },
  });
  const fence = (name: string, rules: readonly object[]) =>
    stack.resource("infra.firewall", name, { vpc_id: net.id, ingress_rules: rules });
  const frontDoor = fence("front-door", [
    { port: 80, cidr: "0.0.0.0/0", description: "redirected" },
    { port: 443, cidr: "0.0.0.0/0" },
  ]);
  const webFence = fence("web-fence", [{ port: 8080, group: frontDoor.id }]);
  const dataFence = fence(
    "data-fence",
    [5432, 6379].map((port) => ({ port, group: webFence.id })),
  );

  const inside = { subnet_ids: net.outputs.private_subnet_ids, security_group_ids: [dataFence.id] };
  const db = stack.resource("infra.database", "shop-db", {
    engine: "postgres",
    size: "s",
    database_name: "shop",
    ...inside,
  });
  const cache = stack.resource("infra.cache", "shop-cache", { size: "xs", ...inside });
  const uploads = stack.resource("infra.storage", "uploads", {
    bucket: `uploads.${domain}`,
    versioning: true,
    lifecycle_rules: [
      { id: "old-versions", noncurrent_expiration_days: 30 },
      { id: "unfinished", abort_incomplete_upload_days: 3 },
    ],
  });

  const zone = stack.resource("infra.dns", "zone", { domain_name: domain });
  const tls = stack.resource("infra.certificate", "tls", {
    domain_name: domain,
    subject_alternative_names: [`www.${domain}`],
    hosted_zone_id: zone.outputs.hosted_zone_id,
  });
  const front = stack.resource("infra.load_balancer", "front", {
    subnet_ids: net.outputs.public_subnet_ids,
    security_group_ids: [frontDoor.id],
    target_groups: { web: { port: 8080, health_check: { path: "/healthz" } } },
    listeners: [
      { port: 80, default_action: { redirect: {} } },
      { port: 443, certificate_arn: tls.id, default_action: { forward: "web" } },
    ],
  });

  const tasks = stack.resource("infra.iam_role", "tasks", {
    assume_role_policy: {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" }],
    },
    inline_policies: {
      uploads: {
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: `${uploads.outputs.arn}/*` },
        ],
      },
    },
  });
  stack.resource("infra.container_service", "web", {
    image: "ghcr.io/acme/shop:1.4",
    size: "s",
    replicas: 2,
    cluster: "shop",
    subnet_ids: net.outputs.private_subnet_ids,
    security_group_ids: [webFence.id],
    assign_public_ip: false,
    task_role_arn: tasks.id,
    http_port: 8080,
    env_vars: {
      DATABASE_HOST: db.outputs.host,
      CACHE_HOST: cache.outputs.endpoint,
      UPLOADS: uploads.outputs.bucket_name,
    },
    load_balancers: [{ target_group_arn: expr<string>`${front.outputs.target_group_arns}.web`, container_port: 8080 }],
    health_check_grace_period_seconds: 60,
  });
  const alias = { name: front.outputs.dns_name, zone_id: front.outputs.zone_id };
  stack.resource("infra.dns", "names", {
    hosted_zone_id: zone.outputs.hosted_zone_id,
    records: [
      { type: "A", alias },
      { name: "www", type: "A", alias },
    ],
  });

  stack.output("url", `https://${domain}`);
  stack.output("name_servers", zone.outputs.name_servers);
});
