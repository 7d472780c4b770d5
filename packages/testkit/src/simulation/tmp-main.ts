import { generateScenario, runScenario } from "./index.ts";
const from = Number(process.argv[2] ?? 1),
  count = Number(process.argv[3] ?? 100);
const t = performance.now();
let bad = 0;
const kinds = new Map<string, number[]>();
for (let seed = from; seed < from + count; seed += 1) {
  const result = await Promise.race([
    runScenario(generateScenario(seed), { trace: count === 1 }),
    new Promise<never>((_, reject) => setTimeout(() => reject(new Error("stuck")), 20000).unref()),
  ]).catch((e: unknown) => ({ violations: [String(e)], story: [] }));
  if (result.violations.length > 0) {
    bad += 1;
    const k = result.violations[0]!.replace(/r\d+|\w+-\d+|\d+/g, "#").slice(0, 90);
    kinds.set(k, [...(kinds.get(k) ?? []), seed]);
    if (count === 1)
      console.log(
        JSON.stringify(generateScenario(seed), null, 1),
        result.story.join("\n"),
        result.violations.join("\n"),
      );
  } else if (count === 1) console.log(result.story.join("\n"));
}
console.log(`${count} seeds, ${bad} bad, ${Math.round(performance.now() - t)} ms`);
for (const [k, seeds] of [...kinds].toSorted((a, b) => b[1].length - a[1].length))
  console.log(seeds.length, k, seeds.slice(0, 6).join(" "));
