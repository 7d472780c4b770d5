import type { Resource } from "@wfctl/plugin-sdk";
import type { AwsClient } from "../client.ts";
import { iamRole } from "./iam-role.ts";
import { storage } from "./storage.ts";

/** One line per type, alphabetical. */
export const resources: readonly Resource<AwsClient>[] = [iamRole, storage];
