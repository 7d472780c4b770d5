import { WfctlError } from "@wfctl/model";

/**
 * Milliseconds since an object was put, by the clock of the server that answers. Both times are cut to the second, so it
 * is one second less than they tell: a lease may run out late, never early.
 */
export function ageOf(headers: Headers, doing: string): number {
  const now = Date.parse(headers.get("date") ?? "");
  const changed = Date.parse(headers.get("last-modified") ?? "");
  if (Number.isNaN(now) || Number.isNaN(changed)) {
    throw new WfctlError("STORE_UNAVAILABLE", `${doing} failed: the server does not tell the time`, {
      hint: "The answer must carry the headers Date and Last-Modified; a proxy may have taken them out",
    });
  }
  return Math.max(0, now - changed - 1000);
}
