import type { CertificateDetail } from "@aws-sdk/client-acm";
import { notFound, ProviderFailure, type FieldChange, type NotFound, type ResourceState } from "@wfctl/plugin-sdk";
import {
  certificates,
  certificateTags,
  findByTag,
  findCertificate,
  hasRecords,
  validationRecords,
} from "../acm/find.ts";
import {
  certificateInput,
  certificateOutputs,
  domainName,
  type CertificateInput,
  type CertificateOutputs,
} from "../acm/schema.ts";
import { awaitIssued, removeRecords, writeRecords } from "../acm/validation.ts";
import { aws, type Aws, type Context } from "../calls.ts";
import { isAwsError, orAbsent } from "../errors.ts";
import { parseArn } from "../ids.ts";
import { defined } from "../json.ts";
import { shortHash } from "../naming.ts";
import { creationTags, currentTags, logicalName, nameTag, ownerOf, searchTags, tokenTag } from "../ownership.ts";
import { searchRegions } from "../regions.ts";
import { markPrefix, tagChanges, toPairs, userTags, type Tags } from "../tags.ts";
import { awaitThat, retryWhile } from "../waiting.ts";
import { asCreated, defineAwsResource, inputsOf } from "./define.ts";

type State = ResourceState<CertificateInput, CertificateOutputs>;

/** Zone in which the driver made the validation records. */
const zoneTag = `${markPrefix}zone`;
/** How long a load balancer that is going may still hold a certificate. */
const inUseMs = 600_000;
const issuedMs = 1_800_000;

/** An ACM certificate: requested and validated, or imported. Its id is its ARN. */
export const certificate = defineAwsResource<CertificateInput, CertificateOutputs>({
  type: "infra.certificate",
  service: "acm",
  description: "ACM certificate",
  input: certificateInput,
  outputs: certificateOutputs,
  forceNew: ["domain_name", "subject_alternative_names", "validation_method", "region", "key_algorithm"],
  writeOnly: ["private_key", "certificate_chain", "wait_for_validation"],
  sensitiveInputs: ["private_key"],
  resetWhenUnset: ["certificate_body", "hosted_zone_id"],
  unordered: ["subject_alternative_names"],
  settledBy: { domain_name: "domain_name" },
  createFirst: true,
  convergentCreate: true,
  settleMs: 20_000,
  timeouts: { create: 2_700_000, update: 2_700_000, delete: 900_000 },
  tier: 2,

  async create({ name, input }, context) {
    const cloud = aws(context, input.region);
    const domain = domainOf(name, input);
    const made = await findByTag(
      cloud,
      tokenTag,
      context.clientToken,
      input.certificate_body === undefined ? domain : undefined,
    );
    const arn = made ?? (await makeCertificate(cloud, name, domain, input));
    context.partial(arn, { arn, domain_name: domain });
    await sync(cloud, arn, name, input);
    return asCreated(await describeNow(cloud, arn), made === undefined);
  },

  async read(ref, context) {
    return ref.id === "" ? readByName(ref.name, context) : readByArn(ref.id, context);
  },

  async update(ref, { name, input }, context) {
    const cloud = aws(context, parseArn(ref.id)?.region);
    if ((await findCertificate(cloud, ref.id)) === undefined) return notFound(`Certificate "${ref.id}" does not exist`);
    const { certificate_body: body } = input;
    if (body !== undefined) await importCertificate(cloud, input, { CertificateArn: ref.id });
    await sync(cloud, ref.id, name, input);
    return describeNow(cloud, ref.id);
  },

  async delete(ref, context) {
    const cloud = aws(context, parseArn(ref.id)?.region);
    context.client.deferrals.set(ref.id, undefined);
    const found = await findCertificate(cloud, ref.id);
    if (found === undefined) return notFound();
    const zone = (await certificateTags(cloud, ref.id))[zoneTag];
    if (zone !== undefined) await removeRecords(cloud, zone, found);
    try {
      await retryWhile(
        context,
        ["ResourceInUseException"],
        `certificate ${found.DomainName} to be free`,
        () => orAbsent(cloud.acm.deleteCertificate({ CertificateArn: ref.id })),
        { timeoutMs: inUseMs },
      );
    } catch (error) {
      if (!isAwsError(error, "ResourceInUseException")) throw error;
      const users = (await findCertificate(cloud, ref.id))?.InUseBy ?? [];
      throw new ProviderFailure(
        "validation",
        `Cannot delete certificate "${ref.id}": it is used by ${users.join(", ")}`,
        {
          cause: error,
        },
      );
    }
    return undefined;
  },

  async lookup({ token }, context) {
    const found = await searchRegions(context, async (cloud) => {
      const arn = await findByTag(cloud, tokenTag, token);
      return arn === undefined ? undefined : describe(cloud, arn);
    });
    return found ?? notFound();
  },

  diff({ input }, known, standard) {
    // A requested certificate does not become an imported one, nor the other way round.
    const before = inputsOf(known);
    const isSwitched = before !== undefined && "certificate_body" in before !== (input.certificate_body !== undefined);
    const changes = standard.changes.map((change): FieldChange =>
      isSwitched && change.path === "certificate_body" ? { ...change, forceNew: true } : change,
    );
    // What an imported certificate says is not for the configuration to choose.
    const fixed = ["domain_name", "subject_alternative_names", "key_algorithm", "validation_method"];
    const isImported = input.certificate_body !== undefined;
    return { changes: isImported ? changes.filter(({ path }) => !fixed.includes(path)) : changes };
  },

  import(id, context) {
    return id.startsWith("arn:") ? readByArn(id, context) : readByName(id, context);
  },

  async *list(context) {
    const cloud = aws(context);
    for await (const { CertificateArn: arn = "" } of certificates(cloud)) {
      const state = await describe(cloud, arn, { inputs: false });
      if (!("notFound" in state)) yield state;
    }
  },

  async setMarks(ref, marks, context) {
    const cloud = aws(context, parseArn(ref.id)?.region);
    const tags = toPairs(marks);
    const answer = await orAbsent(cloud.acm.addTagsToCertificate({ CertificateArn: ref.id, Tags: tags }));
    return answer === undefined ? notFound() : undefined;
  },
});

function domainOf(name: string, input: CertificateInput): string {
  if (input.certificate_body !== undefined) return input.domain_name ?? name;
  const domain = domainName.safeParse(input.domain_name ?? name);
  if (domain.success) return domain.data;
  throw new ProviderFailure("validation", `"${input.domain_name ?? name}" is no domain name: set domain_name`);
}

async function makeCertificate(cloud: Aws, name: string, domain: string, input: CertificateInput): Promise<string> {
  const { acm, context } = cloud;
  const zone = input.hosted_zone_id === undefined ? {} : { [zoneTag]: input.hosted_zone_id };
  const tags = toPairs({ ...creationTags(context, name, input.tags), ...zone });
  if (input.certificate_body !== undefined) return importCertificate(cloud, input, { Tags: tags });
  const { CertificateArn: arn = "" } = await acm.requestCertificate({
    DomainName: domain,
    ...(input.subject_alternative_names.length === 0
      ? {}
      : { SubjectAlternativeNames: input.subject_alternative_names }),
    ValidationMethod: input.validation_method,
    KeyAlgorithm: input.key_algorithm,
    Options: { CertificateTransparencyLoggingPreference: input.transparency_logging ? "ENABLED" : "DISABLED" },
    IdempotencyToken: shortHash(context.clientToken, 32),
    Tags: tags,
  });
  return arn;
}

async function importCertificate(
  { acm }: Aws,
  input: CertificateInput,
  what: { CertificateArn: string } | { Tags: { Key: string; Value: string }[] },
): Promise<string> {
  const bytes = (text: string | undefined) => (text === undefined ? undefined : Buffer.from(text));
  const { CertificateArn: arn = "" } = await acm.importCertificate({
    ...what,
    ...defined({ CertificateChain: bytes(input.certificate_chain) }),
    Certificate: bytes(input.certificate_body),
    PrivateKey: bytes(input.private_key),
  });
  return arn;
}

async function sync(cloud: Aws, arn: string, name: string, input: CertificateInput): Promise<void> {
  const { acm, context } = cloud;
  const isRequested = input.certificate_body === undefined;
  const found = await awaitThat(context, `certificate ${arn} to be visible`, async () => {
    const seen = await findCertificate(cloud, arn);
    const needsRecords = isRequested && input.validation_method === "DNS" && seen?.Status === "PENDING_VALIDATION";
    return seen !== undefined && (!needsRecords || hasRecords(seen)) ? seen : undefined;
  });
  const logging = found.Options?.CertificateTransparencyLoggingPreference !== "DISABLED";
  if (isRequested && logging !== input.transparency_logging) {
    const options = {
      CertificateTransparencyLoggingPreference: input.transparency_logging ? "ENABLED" : "DISABLED",
    } as const;
    await acm.updateCertificateOptions({ CertificateArn: arn, Options: options });
  }
  const live = await certificateTags(cloud, arn);
  const zone = input.hosted_zone_id;
  const wanted = {
    ...currentTags(context, name, input.tags, live),
    ...(zone === undefined ? {} : { [zoneTag]: zone }),
  };
  await syncTags(cloud, arn, live, wanted, zone === undefined);
  if (!isRequested || input.validation_method !== "DNS") return;
  if (live[zoneTag] !== undefined && live[zoneTag] !== zone) await removeRecords(cloud, live[zoneTag], found);
  if (zone !== undefined) {
    await writeRecords(cloud, zone, found);
    if (input.wait_for_validation !== false) await awaitIssued(cloud, arn);
  } else if (input.wait_for_validation === true && found.Status !== "ISSUED") {
    const { region } = cloud;
    context.client.deferrals.set(arn, {
      resource: name,
      async run(later) {
        await awaitIssued(aws(later, region), arn, { timeoutMs: issuedMs });
        return undefined;
      },
    });
  }
}

async function syncTags({ acm }: Aws, arn: string, live: Tags, wanted: Tags, dropZone: boolean): Promise<void> {
  const { set, remove } = tagChanges(live, wanted);
  if (Object.keys(set).length > 0) await acm.addTagsToCertificate({ CertificateArn: arn, Tags: toPairs(set) });
  const gone = [...remove, ...(dropZone && live[zoneTag] !== undefined ? [zoneTag] : [])];
  if (gone.length === 0) return;
  await acm.removeTagsFromCertificate({ CertificateArn: arn, Tags: gone.map((Key) => ({ Key })) });
}

async function readByArn(arn: string, context: Context): Promise<State | NotFound> {
  return describe(aws(context, parseArn(arn)?.region), arn);
}

/** By the name that we gave it, else by its domain. */
async function readByName(name: string, context: Context): Promise<State | NotFound> {
  const cloud = aws(context);
  const own = await findByTag(cloud, nameTag, name);
  if (own !== undefined) return describe(cloud, own);
  const arns: string[] = [];
  for await (const { CertificateArn: arn = "", DomainName: domain } of certificates(cloud)) {
    if (domain === name) arns.push(arn);
  }
  if (arns.length > 1) {
    throw new ProviderFailure(
      "validation",
      `${arns.length} certificates are of "${name}" (${arns.join(", ")}): give the ARN of the one that is meant`,
    );
  }
  return arns[0] === undefined ? notFound() : describe(cloud, arns[0]);
}

/** After a write: without inputs, which the input just applied stands in for. */
async function describeNow(cloud: Aws, arn: string): Promise<State> {
  const state = await describe(cloud, arn, { inputs: false });
  if ("notFound" in state)
    throw new ProviderFailure("unknown", `Certificate "${arn}" was deleted while it was changed`);
  return state;
}

async function describe(cloud: Aws, arn: string, options: { inputs?: boolean } = {}): Promise<State | NotFound> {
  const [found, tags] = await Promise.all([findCertificate(cloud, arn), certificateTags(cloud, arn)]);
  if (found === undefined) return notFound();
  const { DomainName: domain = "", Status: status = "", NotAfter: notAfter } = found;
  return {
    id: arn,
    name: logicalName(tags, domain),
    owner: ownerOf(tags),
    tags: searchTags(tags),
    status: status === "ISSUED" ? "running" : "unknown",
    outputs: {
      arn,
      domain_name: domain,
      validation_method: methodOf(found),
      cert_status: status,
      region: cloud.region,
      validation_records: validationRecords(found),
      ...(notAfter === undefined ? {} : { not_after: notAfter.toISOString() }),
      tags_all: tags,
    },
    ...(options.inputs === false ? {} : { inputs: await liveInputs(cloud, arn, found, tags) }),
  };
}

function methodOf(found: CertificateDetail): "DNS" | "EMAIL" {
  return found.DomainValidationOptions?.[0]?.ValidationMethod === "EMAIL" ? "EMAIL" : "DNS";
}

async function liveInputs(
  cloud: Aws,
  arn: string,
  found: CertificateDetail,
  tags: Tags,
): Promise<Partial<CertificateInput>> {
  const { DomainName: domain = "" } = found;
  const pems = found.Type === "IMPORTED" ? await cloud.acm.getCertificate({ CertificateArn: arn }) : undefined;
  return defined({
    domain_name: domain,
    subject_alternative_names: (found.SubjectAlternativeNames ?? []).filter((name) => name !== domain),
    validation_method: methodOf(found),
    region: cloud.region,
    key_algorithm: (found.KeyAlgorithm ?? "RSA_2048").replace("RSA-", "RSA_") as CertificateInput["key_algorithm"],
    transparency_logging: found.Options?.CertificateTransparencyLoggingPreference !== "DISABLED",
    hosted_zone_id: tags[zoneTag],
    certificate_body: pems?.Certificate?.replaceAll("\r", "").trim(),
    tags: userTags(tags, { defaults: cloud.client.config.default_tags }),
  }) as Partial<CertificateInput>;
}
