import type { CertificateDetail, CertificateSummary, KeyAlgorithm } from "@aws-sdk/client-acm";
import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { each } from "../paging.ts";
import { fromPairs, type Tags } from "../tags.ts";
import type { ValidationRecord } from "./schema.ts";

/** Without this list ACM shows certificates with 2048-bit RSA keys only. */
const keyTypes: KeyAlgorithm[] = [
  "RSA_1024",
  "RSA_2048",
  "RSA_3072",
  "RSA_4096",
  "EC_prime256v1",
  "EC_secp384r1",
  "EC_secp521r1",
];

export function certificates({ acm }: Aws): AsyncGenerator<CertificateSummary> {
  return each(async (token) => {
    const page = await acm.listCertificates({
      Includes: { keyTypes },
      ...(token === undefined ? {} : { NextToken: token }),
    });
    return [page.CertificateSummaryList, page.NextToken] as const;
  });
}

export async function findCertificate({ acm }: Aws, arn: string): Promise<CertificateDetail | undefined> {
  return (await orAbsent(acm.describeCertificate({ CertificateArn: arn })))?.Certificate;
}

export async function certificateTags({ acm }: Aws, arn: string): Promise<Tags> {
  const answer = await orAbsent(acm.listTagsForCertificate({ CertificateArn: arn }));
  return fromPairs(answer?.Tags);
}

/** ARN of the certificate that this token made. `domain`: only certificates of this name, where it is known. */
export async function findByTag(cloud: Aws, tag: string, value: string, domain?: string): Promise<string | undefined> {
  for await (const { CertificateArn: arn = "", DomainName: name } of certificates(cloud)) {
    if (domain !== undefined && name !== domain) continue;
    if ((await certificateTags(cloud, arn))[tag] === value) return arn;
  }
  return undefined;
}

/** The records that validate a certificate, each once: a name and its wildcard share theirs. */
export function validationRecords(certificate: CertificateDetail): ValidationRecord[] {
  const records = (certificate.DomainValidationOptions ?? []).flatMap(({ ResourceRecord: record }) =>
    record?.Name === undefined
      ? []
      : [
          {
            name: record.Name.replace(/\.$/, ""),
            type: record.Type ?? "CNAME",
            value: (record.Value ?? "").replace(/\.$/, ""),
          },
        ],
  );
  return [...new Map(records.map((record) => [record.name, record])).values()];
}

/** False while ACM has not thought of a record for each name. */
export function hasRecords(certificate: CertificateDetail): boolean {
  const options = certificate.DomainValidationOptions ?? [];
  return options.length > 0 && options.every(({ ResourceRecord: record }) => record !== undefined);
}
