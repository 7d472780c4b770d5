import type { RequestTimes } from "../http/send-request.ts";

/** A folder of a container of Azure blobs. Plain data: a thread can be given it. */
export interface AzureBlobOptions {
  /** Such as `https://NAME.blob.core.windows.net`. */
  readonly accountUrl: string;
  readonly accountName: string;
  /** In base64, as Azure shows it. */
  readonly accountKey: string;
  readonly container: string;
  /** Put before every name as it is; a folder ends in a slash. @default "" */
  readonly prefix?: string;
  /** Only for tests. */
  readonly times?: Partial<RequestTimes>;
}
