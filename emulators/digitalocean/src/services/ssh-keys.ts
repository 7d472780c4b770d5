import { createHash } from "node:crypto";
import type { Thing } from "../account.ts";
import { asText, noContent, notFound, paged, textOf, unprocessable, type DoRequest, type Handlers } from "./answers.ts";

export const sshKeys: Handlers = {
  sshKeys_list: (request) => paged(request, "ssh_keys", request.account.sshKeys.list()),
  sshKeys_create({ account, body }) {
    const key = textOf(body, "public_key")!;
    const fingerprint = createHash("md5")
      .update(key)
      .digest("hex")
      .replaceAll(/(..)(?!$)/g, "$1:");
    if (account.sshKeys.all().some((other) => other["fingerprint"] === fingerprint))
      return unprocessable("SSH Key is already in use on your account");
    const id = account.nextNumber();
    const made: Thing = { id, name: body["name"]!, public_key: key, fingerprint };
    account.sshKeys.add(asText(id), made);
    return { status: 201, body: { ssh_key: made } };
  },
  sshKeys_get(request) {
    const key = find(request);
    return key === undefined ? notFound() : { status: 200, body: { ssh_key: key } };
  },
  sshKeys_delete(request) {
    const key = find(request);
    if (key === undefined) return notFound();
    request.account.sshKeys.remove(asText(key["id"]));
    return noContent;
  },
};

function find({ account, params }: DoRequest): Thing | undefined {
  const wanted = params["ssh_key_identifier"];
  return account.sshKeys.list().find((key) => asText(key["id"]) === wanted || key["fingerprint"] === wanted);
}
