import type { ProviderDefinition, StateBackend } from "@wfctl/plugin-sdk";
import type { AwsClient } from "../client.ts";
import type { AwsConfig } from "../config.ts";

/** The requests of upstream's contract, as the SDK hands them to a provider. */
type Definition = ProviderDefinition<AwsClient, AwsConfig>;
export type Plan = Parameters<NonNullable<Definition["validatePlan"]>>[0];
export type LogRequest = Parameters<NonNullable<Definition["captureLogs"]>>[0];
export type Jobs = NonNullable<Definition["jobs"]>;
export type JobSpec = Parameters<Jobs["run"]>[0];
export type StateRecord = Parameters<StateBackend["save"]>[0];
