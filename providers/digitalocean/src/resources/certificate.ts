import { alreadyExists, notFound, ProviderFailure, z, type ResourceState } from "@wfctl/plugin-sdk";
import { given } from "../aliases.ts";
import { api, collect, findItem, type Context } from "../calls.ts";
import { isStatus, orAbsent } from "../errors.ts";
import { isUuid, takenMessage } from "../naming.ts";
import { awaitThat, retryIf } from "../waiting.ts";
import { scopes } from "../permissions.ts";
import { defineDoResource } from "./define.ts";

interface Certificate {
  readonly id: string;
  readonly name: string;
  readonly type: "lets_encrypt" | "custom";
  readonly dns_names: readonly string[] | null;
  readonly state: "pending" | "verified" | "error";
  readonly not_after: string;
  readonly sha1_fingerprint: string;
  readonly created_at: string;
}

const input = z
  .strictObject({
    name: z.string().min(1).optional().describe("Default: the resource's name"),
    type: z
      .enum(["lets_encrypt", "custom"])
      .optional()
      .describe("Default: custom where a private_key is given, else lets_encrypt"),
    dns_names: z
      .array(z.string().transform((text) => text.toLowerCase()))
      .optional()
      .describe("For lets_encrypt: names in domains of this account"),
    domains: z.array(z.string()).optional().describe("Alias of dns_names"),
    private_key: z.string().optional().describe("PEM; cannot be read back"),
    leaf_certificate: z.string().optional().describe("PEM; cannot be read back"),
    certificate_chain: z.string().optional().describe("PEM; cannot be read back"),
  })
  .transform(({ domains, ...value }) => ({
    ...value,
    type: value.type ?? (value.private_key === undefined ? ("lets_encrypt" as const) : ("custom" as const)),
    dns_names: value.dns_names ?? domains,
  }))
  .superRefine((value, { addIssue }) => {
    const fail = (path: string, message: string): void => addIssue({ code: "custom", path: [path], message });
    if (value.type === "lets_encrypt" && (value.dns_names ?? []).length === 0)
      fail("dns_names", "is required for lets_encrypt");
    if (value.type === "custom" && (value.private_key === undefined || value.leaf_certificate === undefined)) {
      fail("private_key", "private_key and leaf_certificate are required for custom");
    }
  });
type CertificateInput = z.output<typeof input>;

const outputs = z.object({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  state: z.string(),
  not_after: z.string(),
  sha1_finger: z.string(),
  sha1_fingerprint: z.string(),
  dns_names: z.array(z.string()),
  created_at: z.string(),
});
type Outputs = z.output<typeof outputs>;

/** Certificates are renewed this long before they end. */
const renewalMs = 30 * 86_400_000;

/** A TLS certificate. Names are unique in an account; there are no tags. A renewal gives it another id, not another name. */
export const certificate = defineDoResource<CertificateInput, Outputs>({
  type: "infra.certificate",
  description: "TLS certificate",
  input,
  outputs,
  forceNew: ["name", "type", "dns_names", "private_key", "leaf_certificate", "certificate_chain"],
  writeOnly: ["private_key", "leaf_certificate", "certificate_chain"],
  sensitiveInputs: ["private_key"],
  unordered: ["dns_names"],
  permissions: scopes("certificate"),
  timeouts: { create: 900_000, update: 60_000, delete: 600_000 },

  async create({ name: resource, input: wanted }, context) {
    const name = wanted.name ?? resource;
    if ((await findByName(context, name)) !== undefined)
      return alreadyExists(takenMessage(context, { kind: "Certificate", name }));
    const { certificate: made } = await api(context).post<{ certificate: Certificate }>(
      "certificates",
      given({ ...wanted, name }),
    );
    context.partial(made.id);
    return { ...describe(await awaitVerified(context, made)), created: true };
  },

  async read(ref, context) {
    const found = await locate(ref, context);
    return found === undefined ? notFound() : describe(found);
  },

  async update(ref, _desired, context) {
    const found = await locate(ref, context);
    return found === undefined ? notFound() : describe(found);
  },

  async delete(ref, context) {
    const found = await locate(ref, context);
    if (found === undefined) return notFound();
    const isInUse = (error: unknown): boolean => isStatus(error, 403, 409) && /in use/i.test(error.message);
    await retryIf(context, isInUse, `certificate ${found.name} to be in use no more`, () =>
      orAbsent(api(context).delete(`certificates/${found.id}`)),
    );
    return undefined;
  },

  async import(id, context) {
    const found = await locate({ id, name: id }, context);
    return found === undefined ? notFound() : describe(found);
  },

  async *list(context) {
    for (const each of await collect(api(context).list<Certificate>("certificates", "certificates")))
      yield describe(each);
  },
});

async function awaitVerified(context: Context, made: Certificate): Promise<Certificate> {
  return awaitThat(context, `certificate ${made.name} to be issued`, async () => {
    const found = await orAbsent(api(context).get<{ certificate: Certificate }>(`certificates/${made.id}`));
    if (found?.certificate.state === "error") {
      throw new ProviderFailure(
        "unknown",
        `Certificate "${made.name}" was not issued: check that its names lead to DigitalOcean's name servers`,
      );
    }
    return found?.certificate.state === "verified" ? found.certificate : undefined;
  });
}

async function locate({ id, name }: { id: string; name: string }, context: Context): Promise<Certificate | undefined> {
  if (!isUuid(id)) return findByName(context, id === "" ? name : id);
  const found = (await orAbsent(api(context).get<{ certificate: Certificate }>(`certificates/${id}`)))?.certificate;
  if (found !== undefined || name === "") return found;
  // Renewed: the name stays. One of the user's own is never renewed: what has its name is another.
  const renewed = await findByName(context, name);
  return renewed?.type === "lets_encrypt" ? renewed : undefined;
}

function findByName(context: Context, name: string): Promise<Certificate | undefined> {
  return findItem(api(context).list<Certificate>("certificates", "certificates"), (each) => each.name === name);
}

function describe(live: Certificate): ResourceState<CertificateInput, Outputs> {
  const { id, name, type, state, not_after, sha1_fingerprint, created_at } = live;
  const names = [...(live.dns_names ?? [])];
  const ends = Date.parse(not_after);
  return {
    id,
    name,
    status: state === "verified" ? "running" : state === "error" ? "degraded" : "unknown",
    revisitAt: Number.isNaN(ends) ? undefined : new Date(ends - renewalMs),
    outputs: {
      id,
      name,
      type,
      state,
      not_after,
      sha1_finger: sha1_fingerprint,
      sha1_fingerprint,
      dns_names: names,
      created_at,
    },
    inputs: { name, type, ...(type === "lets_encrypt" ? { dns_names: names } : {}) },
  };
}
