import type { LeaseTimes } from "../lease/lease-view.ts";
import type { BucketSource } from "../log/bucket.ts";
import type { PostgresOptions } from "../postgres/options.ts";

/** What a thread is started with, to beat for one lease. */
export interface BeatOptions {
  readonly times: LeaseTimes;
  readonly fence: number;
  readonly store:
    | {
        readonly kind: "log";
        readonly bucket: BucketSource;
        /** What the ids of the holder's own segments start with. */
        readonly writerId: string;
        /** One number, kept up to date by the holder: that of the segment that comes next. */
        readonly next: SharedArrayBuffer;
      }
    | { readonly kind: "postgres"; readonly database: PostgresOptions; readonly stack: number };
}

/** All that a thread says. */
export type BeatMessage = "lost";
