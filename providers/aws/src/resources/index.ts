import type { Resource } from "@wfctl/plugin-sdk";
import type { AwsClient } from "../client.ts";
import { apiGateway } from "./api-gateway.ts";
import { autoscalingGroup } from "./autoscaling-group.ts";
import { cache } from "./cache.ts";
import { certificate } from "./certificate.ts";
import { containerService } from "./container-service.ts";
import { database } from "./database.ts";
import { dns } from "./dns.ts";
import { firewall } from "./firewall.ts";
import { iamRole } from "./iam-role.ts";
import { k8sCluster } from "./k8s-cluster.ts";
import { loadBalancer } from "./load-balancer.ts";
import { registry } from "./registry.ts";
import { storage } from "./storage.ts";
import { vpc } from "./vpc.ts";

/** One line per type, alphabetical. */
export const resources: readonly Resource<AwsClient>[] = [
  apiGateway,
  autoscalingGroup,
  cache,
  certificate,
  containerService,
  database,
  dns,
  firewall,
  iamRole,
  k8sCluster,
  loadBalancer,
  registry,
  storage,
  vpc,
];
