import { ProviderFailure } from "@wfctl/plugin-sdk";
import { aws, type Context } from "../calls.ts";
import { orAbsent } from "../errors.ts";

/** Takes an access key of an IAM user out of use and deletes it. A key that is gone is a success. */
export async function revokeCredential(source: string, keyId: string, context: Context): Promise<void> {
  if (source !== "aws" && !source.startsWith("aws.")) {
    throw new ProviderFailure("validation", `Source "${source}" is not one of AWS, such as "aws.access_key"`);
  }
  if (!/^AKIA[A-Z0-9]{12,}$/.test(keyId)) {
    throw new ProviderFailure("validation", "The id is not that of an access key of a user, which begins with AKIA");
  }
  const { iam } = aws(context);
  const used = await orAbsent(iam.getAccessKeyLastUsed({ AccessKeyId: keyId }));
  const user = used?.UserName;
  if (user === undefined) return;
  const key = { UserName: user, AccessKeyId: keyId };
  await orAbsent(iam.updateAccessKey({ ...key, Status: "Inactive" }));
  await orAbsent(iam.deleteAccessKey(key));
}
