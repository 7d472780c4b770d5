import { z } from "@wfctl/plugin-sdk";
import { endpointInput, regionInput } from "../ids.ts";
import { tagMap } from "../tags.ts";

/** Without the dot at the end, in lower case. */
export const domainName = z
  .string()
  .overwrite((name) => name.toLowerCase().replace(/\.$/, ""))
  .regex(/^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}$/, {
    error: 'expected a domain name such as "example.com"',
  });

/** PEM without what editors add around it. */
const pem = z
  .string()
  .overwrite((text) => text.replaceAll("\r", "").trim())
  .startsWith("-----BEGIN ", { error: "expected PEM" });

export const certificateInput = z
  .strictObject({
    domain_name: domainName.optional().describe("Default: the resource's name"),
    subject_alternative_names: z.array(domainName).default([]),
    validation_method: z.enum(["DNS", "EMAIL"]).default("DNS"),
    region: regionInput,
    endpoint: endpointInput,
    key_algorithm: z.enum(["RSA_2048", "EC_prime256v1", "EC_secp384r1"]).default("RSA_2048"),
    transparency_logging: z.boolean().default(true),
    hosted_zone_id: z
      .string()
      .overwrite((id) => id.replace(/^\/?hostedzone\//, ""))
      .optional()
      .describe(
        "Route 53 zone in which the validation records are made; then the certificate is issued before it counts as created",
      ),
    wait_for_validation: z
      .boolean()
      .optional()
      .describe(
        "Wait until it is issued: at once with hosted_zone_id (default), else at the end of the run (default: not)",
      ),
    certificate_body: pem.optional().describe("PEM of a certificate from elsewhere, which is imported"),
    certificate_chain: pem.optional(),
    private_key: pem.optional(),
    tags: tagMap.default({}),
  })
  .refine((input) => (input.certificate_body === undefined) === (input.private_key === undefined), {
    error: "certificate_body and private_key belong together",
    path: ["private_key"],
  })
  .refine((input) => input.certificate_body === undefined || input.hosted_zone_id === undefined, {
    error: "a certificate from elsewhere is not validated",
    path: ["hosted_zone_id"],
  });
export type CertificateInput = z.output<typeof certificateInput>;

export const validationRecord = z.object({ name: z.string(), type: z.string(), value: z.string() });

export const certificateOutputs = z.object({
  arn: z.string(),
  domain_name: z.string(),
  validation_method: z.string(),
  cert_status: z.string(),
  region: z.string(),
  validation_records: z.array(validationRecord).describe("DNS records that prove the ownership of the names"),
  not_after: z.string().optional(),
  tags_all: z.record(z.string(), z.string()),
});
export type CertificateOutputs = z.output<typeof certificateOutputs>;
export type ValidationRecord = z.output<typeof validationRecord>;
