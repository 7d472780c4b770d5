import { signRequest, type S3Credentials } from "@wfctl/object-store";
import { WfctlError } from "@wfctl/model";
import type { BucketRequest } from "../http/send-request.ts";
import type { S3Options } from "./options.ts";

/** Adds the headers that prove who sends the request. */
export type SignRequest = (request: BucketRequest) => Promise<BucketRequest>;

const nothing = new Uint8Array();

/** AWS Signature Version 4 for S3, over the hash of the body. The credential chain is loaded where no keys are given. */
export function createSigner(options: S3Options, region: string): SignRequest {
  const { accessKeyId, secretAccessKey, sessionToken } = options;
  const given =
    accessKeyId !== undefined && secretAccessKey !== undefined
      ? { accessKeyId, secretAccessKey, sessionToken }
      : undefined;
  const find = given === undefined ? openChain() : () => Promise.resolve(given);
  return async (request) => {
    const { method, url, headers, body = nothing } = request;
    const { host: _, ...signed } = signRequest({ method, url, headers, body }, await find(), {
      region,
      now: new Date(),
    });
    return { ...request, headers: signed };
  };
}

/** Loaded with the first request; what it finds is kept until it runs out. */
function openChain(): () => Promise<S3Credentials> {
  let chain: Promise<() => Promise<S3Credentials>> | undefined;
  return async () => {
    chain ??= import("@aws-sdk/credential-provider-node").then(({ defaultProvider }) => defaultProvider());
    try {
      return await (
        await chain
      )();
    } catch (cause) {
      throw new WfctlError(
        "STORE_UNAVAILABLE",
        "Finding credentials for S3 failed: the credential chain of AWS has none",
        {
          hint: "Write accessKey and secretKey as ${NAME} of variables, or set AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
          cause,
        },
      );
    }
  };
}
