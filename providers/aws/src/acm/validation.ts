import type { CertificateDetail } from "@aws-sdk/client-acm";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { orNone } from "../errors.ts";
import { awaitThat } from "../waiting.ts";
import { certificates, findCertificate, validationRecords } from "./find.ts";
import type { ValidationRecord } from "./schema.ts";

const recordTtl = 300;

/** Makes the validation records that a zone lacks. The same record serves all certificates of a name. */
export async function writeRecords({ route53 }: Aws, zoneId: string, certificate: CertificateDetail): Promise<void> {
  const missing: ValidationRecord[] = [];
  for (const record of validationRecords(certificate)) {
    const request = {
      HostedZoneId: zoneId,
      StartRecordName: record.name,
      StartRecordType: "CNAME",
      MaxItems: 1,
    } as const;
    const { ResourceRecordSets: [found] = [] } = await route53.listResourceRecordSets(request);
    const isThere =
      found?.Name?.replace(/\.$/, "") === record.name && found.ResourceRecords?.[0]?.Value === record.value;
    if (!isThere) missing.push(record);
  }
  if (missing.length === 0) return;
  const changes = missing.map((record) => change("UPSERT", record));
  await route53.changeResourceRecordSets({ HostedZoneId: zoneId, ChangeBatch: { Changes: changes } });
}

/** Removes the validation records of names for which no other certificate of the region is left. */
export async function removeRecords(cloud: Aws, zoneId: string, certificate: CertificateDetail): Promise<void> {
  const names = new Set<string>();
  for await (const other of certificates(cloud)) {
    if (other.CertificateArn === certificate.CertificateArn) continue;
    for (const name of [other.DomainName ?? "", ...(other.SubjectAlternativeNameSummaries ?? [])]) {
      names.add(name.replace(/^\*\./, ""));
    }
  }
  const options = (certificate.DomainValidationOptions ?? []).filter(
    ({ DomainName }) => !names.has((DomainName ?? "").replace(/^\*\./, "")),
  );
  for (const record of validationRecords({ ...certificate, DomainValidationOptions: options })) {
    const batch = { Changes: [change("DELETE", record)] };
    // Whoever changed or removed it meant to.
    await orNone(
      cloud.route53.changeResourceRecordSets({ HostedZoneId: zoneId, ChangeBatch: batch }),
      "InvalidChangeBatch",
      "InvalidInput",
      "NoSuchHostedZone",
    );
  }
}

function change(action: "UPSERT" | "DELETE", record: ValidationRecord) {
  return {
    Action: action,
    ResourceRecordSet: {
      Name: record.name,
      Type: record.type as "CNAME",
      TTL: recordTtl,
      ResourceRecords: [{ Value: record.value }],
    },
  };
}

/** Waits until the certificate is issued. What is missing is named while it is waited for. */
export async function awaitIssued(
  cloud: Aws,
  arn: string,
  options: { timeoutMs?: number } = {},
): Promise<CertificateDetail> {
  let what = arn;
  return awaitThat(
    cloud.context,
    () => `certificate ${what} to be issued`,
    async () => {
      const certificate = await findCertificate(cloud, arn);
      const { Status: status, DomainName: domain = arn } = certificate ?? {};
      if (status === "ISSUED") return certificate;
      if (status === "FAILED" || status === "VALIDATION_TIMED_OUT" || status === "REVOKED") {
        const reason = certificate?.FailureReason ?? "no reason given";
        throw new ProviderFailure("unknown", `Certificate of "${domain}" is ${status.toLowerCase()}: ${reason}`);
      }
      const records = validationRecords(certificate ?? {}).map(({ name }) => name);
      what = records.length === 0 ? domain : `${domain}, which needs the DNS records ${records.join(", ")},`;
      return undefined;
    },
    options,
  );
}
