import { defineProvider } from "@wfctl/plugin-sdk";
import { createAwsClient, type AwsClient } from "./client.ts";
import { awsConfig, type AwsConfig } from "./config.ts";
import { limits } from "./limits.ts";
import { resources } from "./resources/index.ts";
import { finalize } from "./services/finalizer.ts";
import { captureLogs } from "./services/logs.ts";
import { describeRegions } from "./services/regions.ts";
import { revokeCredential } from "./services/revoker.ts";
import { jobs } from "./services/runner.ts";
import { validatePlan } from "./services/validator.ts";
import { bootstrapStateBackend } from "./state-backend/bootstrap.ts";
import { createStateBackend } from "./state-backend/state-backend.ts";

const version = "0.1.0";

export const awsProvider = defineProvider<AwsClient, AwsConfig>({
  name: "aws",
  version,
  description: "Amazon Web Services",
  author: "wfctl contributors",
  license: "MIT",
  config: awsConfig,
  resources,
  limits,
  clientTokens: true,
  configure: (config) => createAwsClient(config, version),
  async identity(client, { signal }) {
    const { accountId, arn, partition } = await client.identity(signal);
    const { endpoint } = client;
    return {
      identity: `aws:${partition}:${accountId}:${client.region}:${endpoint}`,
      labels: {
        account: accountId,
        region: client.region,
        principal: arn,
        ...(endpoint === "" ? {} : { endpoint }),
      },
    };
  },
  finalize: (_planId, context) => finalize(context),
  regions: (_environment, context) => describeRegions(context),
  validatePlan: (plan) => Promise.resolve(validatePlan(plan)),
  bootstrapStateBackend,
  revokeCredential,
  captureLogs,
  jobs,
  stateBackend: createStateBackend(version),
  close: (client) => client.close(),
});
