import type { Cluster } from "@aws-sdk/client-eks";
import type { ClusterPlace } from "./cluster.ts";

/** A configuration for kubectl, as JSON, which YAML includes. Undefined while the cluster has no endpoint. */
export function kubeconfigOf({ arn, cluster, region }: ClusterPlace, found: Cluster): string | undefined {
  const { endpoint, certificateAuthority } = found;
  if (endpoint === undefined || certificateAuthority?.data === undefined) return undefined;
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1beta1",
    command: "aws",
    args: ["eks", "get-token", "--region", region, "--cluster-name", cluster],
  };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: arn, cluster: { server: endpoint, "certificate-authority-data": certificateAuthority.data } }],
    users: [{ name: arn, user: { exec } }],
    contexts: [{ name: cluster, context: { cluster: arn, user: arn } }],
    "current-context": cluster,
  };
  return JSON.stringify(config, null, 2);
}
