import type { Resource } from "@wfctl/plugin-sdk";
import type { DigitalOceanClient } from "../client.ts";
import { cache } from "./cache.ts";
import { containerService } from "./container-service.ts";
import { database } from "./database.ts";
import { dns } from "./dns.ts";
import { droplet } from "./droplet.ts";
import { firewall } from "./firewall.ts";
import { spacesKey } from "./spaces-key.ts";
import { storage } from "./storage.ts";
import { volume } from "./volume.ts";
import { vpc } from "./vpc.ts";

export const resources: readonly Resource<DigitalOceanClient>[] = [cache, containerService, database, dns, droplet, firewall, spacesKey, storage, volume, vpc];
