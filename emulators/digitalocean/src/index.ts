export type { Handler, Json } from "@wfctl/emulator-core";
export type { Account } from "./account.ts";
export { deviations } from "./description/deviations.ts";
export { loadDescription } from "./description/load.ts";
export { createDigitalOceanService } from "./service.ts";
export { startDigitalOcean, type DigitalOceanEmulator, type DigitalOceanOptions } from "./start.ts";
