import type { ResourceDefinition } from "@wfctl/plugin-sdk";

type Times = NonNullable<ResourceDefinition<unknown, object, object>["typicalMs"]>;

/** What AWS takes as a rule, by type, in milliseconds: good to a factor of two. */
export const typicalTimes: Readonly<Record<string, Times>> = {
  "infra.api_gateway": { create: 10_000, update: 10_000, delete: 5000 },
  "infra.autoscaling_group": { create: 90_000, update: 30_000, delete: 120_000 },
  "infra.cache": { create: 480_000, update: 480_000, delete: 300_000 },
  "infra.certificate": { create: 120_000, update: 5000, delete: 5000 },
  "infra.container_service": { create: 120_000, update: 180_000, delete: 120_000 },
  "infra.database": { create: 420_000, update: 300_000, delete: 300_000 },
  "infra.dns": { create: 45_000, update: 45_000, delete: 45_000 },
  "infra.firewall": { create: 3000, update: 2000, delete: 2000 },
  "infra.iam_role": { create: 10_000, update: 3000, delete: 3000 },
  "infra.k8s_cluster": { create: 780_000, update: 600_000, delete: 480_000 },
  "infra.load_balancer": { create: 150_000, update: 10_000, delete: 20_000 },
  "infra.registry": { create: 2000, update: 2000, delete: 2000 },
  "infra.storage": { create: 4000, update: 3000, delete: 3000 },
  "infra.vpc": { create: 150_000, update: 60_000, delete: 90_000 },
};
