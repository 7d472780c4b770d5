import type { LimiterOptions } from "@wfctl/plugin-sdk";

/** The API grants 5,000 calls an hour and 250 a minute to a token. */
export const limits: Readonly<Record<string, LimiterOptions>> = {
  api: { ratePerSecond: 4, burst: 200, minRatePerSecond: 0.2, recoverPerSecond: 0.05 },
};
