interface Network {
  readonly address: bigint;
  readonly length: number;
}

/** The n-th network of a prefix that is `bits` longer: `cidrSubnet("10.0.0.0/16", 8, 2)` is `10.0.2.0/24`. IPv4. */
export function cidrSubnet(prefix: string, bits: number, number: bigint): string {
  const network = parsePrefix(prefix);
  const length = network.length + bits;
  if (bits < 0 || length > 32) throw new Error(`a /${network.length} cannot be divided by ${bits} bits`);
  if (number < 0n || number >= 1n << BigInt(bits)) throw new Error(`there is no network ${number} in ${bits} bits`);
  return `${formatAddress(network.address + (number << BigInt(32 - length)))}/${length}`;
}

/** The n-th address of a prefix: `cidrHost("10.0.2.0/24", 5)` is `10.0.2.5`; a negative n counts from the end. */
export function cidrHost(prefix: string, number: bigint): string {
  const network = parsePrefix(prefix);
  const size = 1n << BigInt(32 - network.length);
  const index = number < 0n ? size + number : number;
  if (index < 0n || index >= size) throw new Error(`there is no address ${number} in a /${network.length}`);
  return formatAddress(network.address + index);
}

function parsePrefix(prefix: string): Network {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(prefix);
  const bytes = match === null ? [] : match.slice(1, 5).map(Number);
  const length = Number(match?.[5] ?? 33);
  if (length > 32 || bytes.some((byte) => byte > 255)) throw new Error("expected an IPv4 prefix such as 10.0.0.0/16");
  const address = bytes.reduce((sum, byte) => (sum << 8n) + BigInt(byte), 0n);
  return { address: (address >> BigInt(32 - length)) << BigInt(32 - length), length };
}

function formatAddress(address: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((address >> shift) & 255n)).join(".");
}
