import { defineProvider } from "@wfctl/plugin-sdk";
import { createDigitalOceanClient, identityOf, type DigitalOceanClient } from "./client.ts";
import { digitalOceanConfig, type DigitalOceanConfig } from "./config.ts";
import { limits } from "./limits.ts";
import { revokeCredential } from "./services/credentials.ts";
import { finalizeTrustedSources } from "./services/finalize.ts";
import { captureLogs } from "./services/logs.ts";
import { repairMigration } from "./services/migration.ts";
import { availableRegions } from "./services/regions.ts";
import { mapRequirements } from "./services/requirements.ts";
import { bootstrapSpacesState, createSpacesState } from "./services/state-backend.ts";
import { validatePlan } from "./services/validate.ts";
import { resources } from "./resources/index.ts";

const version = "0.1.0";

export const digitalOceanProvider = defineProvider<DigitalOceanClient, DigitalOceanConfig>({
  name: "digitalocean",
  version,
  description: "DigitalOcean",
  author: "wfctl contributors",
  license: "MIT",
  config: digitalOceanConfig,
  resources,
  limits,
  clientTokens: true,
  configure: (config) => createDigitalOceanClient(config, { environment: process.env, version }),
  async identity(client, { signal }) {
    const account = await client.account(signal);
    const { region } = client.config;
    return {
      identity: identityOf(client, account),
      labels: {
        account: account.email,
        ...(account.team === undefined ? {} : { team: account.team }),
        region,
        endpoint: client.endpoints.api,
      },
    };
  },
  finalize: (_planId, context) => finalizeTrustedSources(context),
  regions: (_environment, context) => availableRegions(context),
  validatePlan,
  revokeCredential,
  captureLogs,
  mapRequirements,
  repairMigration,
  bootstrapStateBackend: bootstrapSpacesState,
  stateBackend: createSpacesState(process.env),
});
