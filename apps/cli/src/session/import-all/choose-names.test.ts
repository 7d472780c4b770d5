import { expect, test } from "vitest";
import { chooseNames } from "./choose-names.ts";
import type { ListedObject } from "./found-object.ts";

const object = (type: string, name: string, providerId = "id-1"): ListedObject => ({
  provider: undefined as never,
  type,
  name,
  providerId,
  tags: [],
});

test("the cloud's name is taken where it can be one, cleaned where it cannot, and the id where there is none", () => {
  const names = chooseNames(
    [
      object("infra.droplet", "web"),
      object("infra.dns", "shop.example"),
      object("infra.storage", "  a/b c!  "),
      object("infra.vpc", "", "vpc-123"),
      object("infra.load_balancer", "日本", "x"),
      object("infra.vpc", "n".repeat(300)),
    ],
    new Set(),
  );
  expect(names).toEqual(["web", "shop-example", "a-b-c", "vpc-123", "load-balancer", "n".repeat(100)]);
});

test("what clashes gets its kind, then a number, the same each time", () => {
  const objects = [
    object("infra.droplet", "web"),
    object("infra.firewall", "web"),
    object("infra.firewall", "web"),
    object("infra.firewall", "web"),
    object("infra.droplet", "taken"),
  ];
  const names = chooseNames(objects, new Set(["taken"]));
  expect(names).toEqual(["web", "web-firewall", "web-firewall-2", "web-firewall-3", "taken-droplet"]);
  expect(chooseNames(objects, new Set(["taken"]))).toEqual(names);
});
