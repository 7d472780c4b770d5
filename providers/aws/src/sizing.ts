/** The tiers that hosts resolve. */
export const sizes = ["xs", "s", "m", "l", "xl"] as const;
export type Size = (typeof sizes)[number];

export function isSize(size: string): size is Size {
  return (sizes as readonly string[]).includes(size);
}

/** CPU units and MiB: a pair that Fargate has. */
export const fargateSizes: Readonly<Record<Size, { readonly cpu: string; readonly memory: string }>> = {
  xs: { cpu: "256", memory: "512" },
  s: { cpu: "1024", memory: "2048" },
  m: { cpu: "2048", memory: "4096" },
  l: { cpu: "4096", memory: "16384" },
  xl: { cpu: "8192", memory: "32768" },
};

export const instanceTypes: Readonly<Record<Size, string>> = {
  xs: "t3.micro",
  s: "t3.small",
  m: "m5.large",
  l: "m5.2xlarge",
  xl: "m5.4xlarge",
};

export const databaseSizes: Readonly<Record<Size, { readonly instanceClass: string; readonly storageGib: number }>> = {
  xs: { instanceClass: "db.t3.micro", storageGib: 20 },
  s: { instanceClass: "db.t3.small", storageGib: 50 },
  m: { instanceClass: "db.r6g.large", storageGib: 100 },
  l: { instanceClass: "db.r6g.2xlarge", storageGib: 500 },
  xl: { instanceClass: "db.r6g.4xlarge", storageGib: 1024 },
};

export const cacheNodeTypes: Readonly<Record<Size, string>> = {
  xs: "cache.t3.micro",
  s: "cache.t3.small",
  m: "cache.m5.large",
  l: "cache.r6g.2xlarge",
  xl: "cache.r6g.4xlarge",
};

/** CPU units of a hint such as `2` or `500m`; undefined where it is none. */
export function cpuUnits(hint: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(m?)$/.exec(hint ?? "");
  if (match === null) return undefined;
  return Number(match[1]) * (match[2] === "m" ? 1.024 : 1024);
}

const memoryUnits: Readonly<Record<string, number>> = {
  "": 1 / 1_048_576,
  Ki: 1 / 1024,
  Mi: 1,
  Gi: 1024,
  M: 1,
  G: 1024,
};

/** MiB of a hint such as `4Gi`; undefined where it is none. */
export function memoryMib(hint: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|M|G|)$/.exec(hint ?? "");
  return match === null ? undefined : Number(match[1]) * (memoryUnits[match[2] ?? ""] ?? 1);
}
