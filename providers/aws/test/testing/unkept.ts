import { unkeptTag } from "../../src/unkept.ts";
import type { Proxy } from "./proxy.ts";

/** Writes after which an object was not as wanted: the provider takes moto for a server that does not keep what it is told. */
export function unkept({ calls }: Proxy): string[] {
  const names = [unkeptTag, encodeURIComponent(unkeptTag)];
  const marking = calls.filter(({ body }) => names.some((name) => body.includes(name)));
  return marking.map(({ operation, body }) => `${operation}: ${body}`);
}
