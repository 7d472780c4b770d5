import { randomUUID } from "node:crypto";
import type { Thing } from "../account.ts";
import { conflict, noContent, notFound, paged, textOf, type Handlers } from "./answers.ts";

export const cdn: Handlers = {
  cdn_list_endpoints: (request) => paged(request, "endpoints", request.account.cdnEndpoints.list()),
  cdn_create_endpoint({ account, body }) {
    const origin = textOf(body, "origin")!;
    if (account.cdnEndpoints.all().some((endpoint) => endpoint["origin"] === origin))
      return conflict("CDN endpoint for that origin already exists");
    const id = randomUUID();
    const endpoint: Thing = {
      id,
      origin,
      endpoint: origin.replace(".digitaloceanspaces.com", ".cdn.digitaloceanspaces.com"),
      created_at: account.clock.iso(),
      ttl: body["ttl"] ?? 3600,
      ...(body["certificate_id"] === undefined ? {} : { certificate_id: body["certificate_id"] }),
      ...(body["custom_domain"] === undefined ? {} : { custom_domain: body["custom_domain"] }),
    };
    account.cdnEndpoints.add(id, endpoint);
    return { status: 201, body: { endpoint } };
  },
  cdn_get_endpoint({ account, params }) {
    const endpoint = account.cdnEndpoints.get(params["cdn_id"] ?? "");
    return endpoint === undefined ? notFound() : { status: 200, body: { endpoint } };
  },
  cdn_update_endpoint({ account, params, body }) {
    const endpoint = account.cdnEndpoints.own(params["cdn_id"] ?? "");
    if (endpoint === undefined) return notFound();
    for (const key of ["ttl", "certificate_id", "custom_domain"])
      if (body[key] !== undefined) endpoint[key] = body[key];
    return { status: 200, body: { endpoint } };
  },
  cdn_delete_endpoint: ({ account, params }) =>
    account.cdnEndpoints.remove(params["cdn_id"] ?? "") ? noContent : notFound(),
};
