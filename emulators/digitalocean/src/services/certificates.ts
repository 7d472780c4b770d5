import { createHash, randomUUID } from "node:crypto";
import type { Thing } from "../account.ts";
import {
  asText,
  conflict,
  forbidden,
  listOf,
  noContent,
  notFound,
  paged,
  textOf,
  unprocessable,
  type Handlers,
} from "./answers.ts";

const issueMs = 60_000;
const lifeMs = 90 * 86_400_000;

export const certificates: Handlers = {
  certificates_list: (request) => paged(request, "certificates", request.account.certificates.list()),
  certificates_create({ account, body }) {
    const type = textOf(body, "type") ?? (body["private_key"] === undefined ? "lets_encrypt" : "custom");
    const names = listOf<string>(body, "dns_names");
    if (account.certificates.all().some((certificate) => certificate["name"] === body["name"]))
      return conflict("certificate name already exists");
    if (type === "lets_encrypt") {
      const zones = account.domains.all().map(({ domain }) => asText(domain["name"]));
      const foreign = names.find((name) => !zones.some((zone) => name === zone || name.endsWith(`.${zone}`)));
      if (foreign !== undefined) return unprocessable(`domain for ${foreign} is not managed by this account`);
    } else if (!asText(body["private_key"]).includes("PRIVATE KEY"))
      return unprocessable("private_key is not a PEM key");
    const id = randomUUID();
    const notAfter = new Date(account.clock.now() + lifeMs).toISOString();
    const certificate: Thing = {
      id,
      name: body["name"]!,
      type,
      dns_names: type === "custom" ? [] : names,
      state: type === "custom" ? "verified" : "pending",
      created_at: account.clock.iso(),
      not_after: notAfter,
      sha1_fingerprint: createHash("sha1").update(id).digest("hex"),
    };
    account.certificates.add(id, certificate);
    if (type === "lets_encrypt") {
      account.clock.after(issueMs, () => {
        const isRefused = names.some((name) => name.startsWith("refused."));
        certificate["state"] = isRefused ? "error" : "verified";
      });
    }
    return { status: 201, body: { certificate } };
  },
  certificates_get({ account, params }) {
    const certificate = account.certificates.get(params["certificate_id"] ?? "");
    return certificate === undefined ? notFound() : { status: 200, body: { certificate } };
  },
  certificates_delete({ account, params }) {
    const id = params["certificate_id"] ?? "";
    if (account.certificates.own(id) === undefined) return notFound();
    const isUsed = account.loadBalancers
      .all()
      .some((balancer) => listOf<Thing>(balancer, "forwarding_rules").some((rule) => rule["certificate_id"] === id));
    if (isUsed) return forbidden("Make sure the certificate is not in use before deleting it");
    account.certificates.remove(id);
    return noContent;
  },
};
