/** Memory in MiB that Fargate offers with each number of CPU units: lowest, highest, step. */
const memories: readonly (readonly [cpu: number, lowest: number, highest: number, step: number])[] = [
  [256, 512, 2048, 512],
  [512, 1024, 4096, 1024],
  [1024, 2048, 8192, 1024],
  [2048, 4096, 16_384, 1024],
  [4096, 8192, 30_720, 1024],
  [8192, 16_384, 61_440, 4096],
  [16_384, 32_768, 122_880, 8192],
];

/** Why Fargate has no task of this size; undefined where it does. */
export function fargateProblem(cpu: number, memory: number): string | undefined {
  const row = memories.find(([units]) => units === cpu);
  if (row === undefined) return `Fargate has no ${cpu} CPU units: use ${memories.map(([units]) => units).join(", ")}`;
  if (offers(row, memory)) return undefined;
  const [, lowest, highest, step] = row;
  return `Fargate has no ${memory} MiB with ${cpu} CPU units: use ${lowest} to ${highest} in steps of ${step}`;
}

/** The smallest task that has at least this much; undefined where even the largest has less. */
export function smallestFargate(cpu: number, memory: number): { cpu: number; memory: number } | undefined {
  for (const [units, lowest, highest, step] of memories) {
    if (units < cpu || highest < memory) continue;
    return { cpu: units, memory: Math.max(lowest, lowest + Math.ceil((memory - lowest) / step) * step) };
  }
  return undefined;
}

function offers([cpu, lowest, highest, step]: (typeof memories)[number], memory: number): boolean {
  // The smallest tasks are no multiples: 512, 1024 and 2048.
  if (cpu === 256) return [512, 1024, 2048].includes(memory);
  return memory >= lowest && memory <= highest && (memory - lowest) % step === 0;
}
