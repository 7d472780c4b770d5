import { startEmulator, type Emulator, type EmulatorOptions, type Service } from "@wfctl/emulator-core";
import type { Account } from "./account.ts";
import { createDigitalOceanService } from "./service.ts";
import { startSpaces, type SpacesServer } from "./spaces/server.ts";

export interface DigitalOceanEmulator extends Emulator<Account> {
  /** Address of the S3-compatible object storage; buckets are in the path. */
  readonly spacesUrl: string;
  readonly spaces: SpacesServer;
}

export interface DigitalOceanOptions extends EmulatorOptions {
  /** @default a free one */
  readonly spacesPort?: number;
  /** What `createDigitalOceanService` gave: several emulators of one process share its checks of messages. */
  readonly service?: Service<Account>;
}

/**
 * Starts the API and Spaces, which share their accounts. Without a log file of its own it appends every exchange to the one
 * that WFCTL_EXCHANGE_LOG names.
 */
export async function startDigitalOcean(options: DigitalOceanOptions = {}): Promise<DigitalOceanEmulator> {
  const logFile = options.logFile ?? process.env["WFCTL_EXCHANGE_LOG"];
  const emulator = await startEmulator(options.service ?? createDigitalOceanService(), {
    ...options,
    ...(logFile === undefined || logFile === "" ? {} : { logFile }),
  });
  const spaces = await startSpaces({
    accounts: emulator.accounts,
    clock: emulator.clock,
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.spacesPort === undefined ? {} : { port: options.spacesPort }),
  });
  return {
    ...emulator,
    spacesUrl: spaces.url,
    spaces,
    async close() {
      await Promise.all([emulator.close(), spaces.close()]);
    },
  };
}
