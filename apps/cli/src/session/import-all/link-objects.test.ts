import type { JsonObject } from "@wfctl/model";
import { expect, test } from "vitest";
import { linkObjects } from "./link-objects.ts";
import type { NamedObject } from "./write-found.ts";

const named = (name: string, providerId: string, config: JsonObject): NamedObject =>
  ({ name, config, object: { providerId } }) as unknown as NamedObject;

test("the id of another object is a reference to it, everything else is text as it was", () => {
  const [api] = linkObjects([
    named("api", "api-0001", {
      network: "net-0001",
      text: "net-0001 and ${x}",
      own: "api-0001",
      list: ["net-0001", 1],
    }),
    named("net", "net-0001", {}),
  ]);
  expect(api).toEqual({
    network: "${net.id}",
    text: "net-0001 and $${x}",
    own: "api-0001",
    list: ["${net.id}", 1],
  });
});

test("no circle comes of it, and an id that is short or of two objects says nothing", () => {
  const configs = linkObjects([
    named("a", "aaaaaa", { b: "bbbbbb" }),
    named("b", "bbbbbb", { c: "cccccc" }),
    named("c", "cccccc", { a: "aaaaaa", short: "short", two: "double" }),
    named("s", "short", {}),
    named("d1", "double", {}),
    named("d2", "double", {}),
  ]);
  expect(configs.slice(0, 3)).toEqual([
    { b: "${b.id}" },
    { c: "${c.id}" },
    { a: "aaaaaa", short: "short", two: "double" },
  ]);
});
