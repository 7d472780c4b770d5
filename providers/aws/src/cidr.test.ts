import fc from "fast-check";
import { expect, test } from "vitest";
import { containsCidr, overlapCidrs, parseCidr } from "./cidr.ts";

test.each(["10.0.0.0", "10.0.0.1/24", "256.0.0.0/8", "10.0.0.0/33", "a/8", ""])("%j is no range", (text) => {
  expect(parseCidr(text)).toBeUndefined();
});

test.each([
  ["10.0.0.0/8", "10.1.0.0/16", true, true],
  ["10.1.0.0/16", "10.0.0.0/8", false, true],
  ["10.0.0.0/24", "10.0.1.0/24", false, false],
  ["0.0.0.0/0", "255.255.255.255/32", true, true],
])("%s and %s", (a, b, contains, overlaps) => {
  const [outer, inner] = [parseCidr(a)!, parseCidr(b)!];
  expect([containsCidr(outer, inner), overlapCidrs(outer, inner)]).toEqual([contains, overlaps]);
});

test("ranges overlap where they share an address", () => {
  const range = fc.record({ block: fc.integer({ min: 0, max: 255 }), bits: fc.integer({ min: 24, max: 28 }) });
  fc.assert(
    fc.property(range, range, (a, b) => {
      const size = ({ bits }: { bits: number }): number => 2 ** (32 - bits);
      const base = (each: { block: number; bits: number }): number => Math.floor(each.block / size(each)) * size(each);
      const cidr = (each: { block: number; bits: number }) => parseCidr(`10.0.0.${base(each)}/${each.bits}`)!;
      const shares = base(a) < base(b) + size(b) && base(b) < base(a) + size(a);
      expect(overlapCidrs(cidr(a), cidr(b))).toBe(shares);
    }),
  );
});
