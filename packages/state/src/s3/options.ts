import type { RequestTimes } from "../http/send-request.ts";

/** A folder of a bucket of AWS S3 or of a server that speaks its protocol. Plain data: a thread can be given it. */
export interface S3Options {
  readonly bucket: string;
  /** Put before every key as it is; a folder ends in a slash. @default "" */
  readonly prefix?: string;
  /** Signs the requests and, without an endpoint, names the server. @default us-east-1 with an endpoint */
  readonly region?: string;
  /** Such as `https://minio.example:9000`. @default that of AWS in the region */
  readonly endpoint?: string;
  /** Without both keys: the credential chain of AWS (environment, shared files, container, machine). */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  /** Only for tests. */
  readonly times?: Partial<RequestTimes>;
}
