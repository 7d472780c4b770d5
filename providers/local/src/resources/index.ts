import type { Resource } from "@wfctl/plugin-sdk";
import type { LocalClient } from "../client.ts";
import { containerService } from "./container-service.ts";
import { storage } from "./storage.ts";

export const resources: readonly Resource<LocalClient>[] = [containerService, storage];
