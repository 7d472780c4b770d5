import type { ResourceDefinition } from "@wfctl/plugin-sdk";

type Times = NonNullable<ResourceDefinition<unknown, object, object>["typicalMs"]>;

/** What DigitalOcean takes as a rule, by type, in milliseconds: good to a factor of two. */
export const typicalTimes: Readonly<Record<string, Times>> = {
  "infra.api_gateway": { create: 180_000, update: 120_000, delete: 5000 },
  "infra.app_domain": { create: 120_000, update: 60_000, delete: 10_000 },
  "infra.autoscaling_group": { create: 90_000, update: 60_000, delete: 60_000 },
  "infra.cache": { create: 300_000, update: 300_000, delete: 5000 },
  "infra.certificate": { create: 30_000, update: 2000, delete: 2000 },
  "infra.container_service": { create: 180_000, update: 120_000, delete: 5000 },
  "infra.database": { create: 300_000, update: 300_000, delete: 5000 },
  "infra.dns": { create: 2000, update: 2000, delete: 2000 },
  "infra.droplet": { create: 60_000, update: 60_000, delete: 20_000 },
  "infra.firewall": { create: 3000, update: 3000, delete: 2000 },
  "infra.iam_role": { create: 2000, update: 2000, delete: 2000 },
  "infra.k8s_cluster": { create: 360_000, update: 240_000, delete: 60_000 },
  "infra.load_balancer": { create: 120_000, update: 30_000, delete: 10_000 },
  "infra.registry": { create: 5000, update: 3000, delete: 5000 },
  "infra.spaces_key": { create: 2000, update: 2000, delete: 2000 },
  "infra.storage": { create: 3000, update: 2000, delete: 5000 },
  "infra.volume": { create: 5000, update: 10_000, delete: 5000 },
  "infra.vpc": { create: 3000, update: 2000, delete: 10_000 },
};
