import type { Resource } from "@wfctl/plugin-sdk";
import type { DigitalOceanClient } from "../client.ts";
import { apiGateway } from "./api-gateway.ts";
import { appDomain } from "./app-domain.ts";
import { autoscalingGroup } from "./autoscaling-group.ts";
import { cache } from "./cache.ts";
import { certificate } from "./certificate.ts";
import { containerService } from "./container-service.ts";
import { database } from "./database.ts";
import { dns } from "./dns.ts";
import { droplet } from "./droplet.ts";
import { firewall } from "./firewall.ts";
import { iamRole } from "./iam-role.ts";
import { k8sCluster } from "./k8s-cluster.ts";
import { loadBalancer } from "./load-balancer.ts";
import { registry } from "./registry.ts";
import { spacesKey } from "./spaces-key.ts";
import { storage } from "./storage.ts";
import { volume } from "./volume.ts";
import { vpc } from "./vpc.ts";

export const resources: readonly Resource<DigitalOceanClient>[] = [
  apiGateway,
  appDomain,
  autoscalingGroup,
  cache,
  certificate,
  containerService,
  database,
  dns,
  droplet,
  firewall,
  iamRole,
  k8sCluster,
  loadBalancer,
  registry,
  spacesKey,
  storage,
  volume,
  vpc,
];
