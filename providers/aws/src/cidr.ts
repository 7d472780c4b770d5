export interface Cidr {
  readonly base: number;
  readonly bits: number;
}

/** An IPv4 range; undefined where the text is none, or has bits set beyond its prefix. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (match === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = match.slice(1).map(Number);
  if ([a, b, c, d].some((part) => part > 255) || bits > 32) return undefined;
  const base = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  return base % sizeOf(bits) === 0 ? { base, bits } : undefined;
}

export function containsCidr(outer: Cidr, inner: Cidr): boolean {
  return outer.bits <= inner.bits && inner.base >= outer.base && inner.base < outer.base + sizeOf(outer.bits);
}

export function overlapCidrs(a: Cidr, b: Cidr): boolean {
  return containsCidr(a, b) || containsCidr(b, a);
}

function sizeOf(bits: number): number {
  return 2 ** (32 - bits);
}
