import { expect, test } from "vitest";
import { cpuUnits, fargateSizes, memoryMib, sizes } from "../sizing.ts";
import { fargateProblem, smallestFargate } from "./fargate.ts";

test.each([
  [256, 512],
  [256, 2048],
  [512, 3072],
  [4096, 30_720],
  [8192, 20_480],
  [16_384, 122_880],
])("%i and %i are a pair", (cpu, memory) => {
  expect(fargateProblem(cpu, memory)).toBeUndefined();
});

test.each([
  [256, 1536],
  [256, 4096],
  [1024, 1024],
  [8192, 17_408],
  [300, 512],
])("%i and %i are none", (cpu, memory) => {
  expect(fargateProblem(cpu, memory)).toContain("Fargate has no");
});

test("every tier is a pair", () => {
  for (const size of sizes) {
    const { cpu, memory } = fargateSizes[size];
    expect(fargateProblem(Number(cpu), Number(memory)), size).toBeUndefined();
  }
});

test("hints become the smallest pair that has as much", () => {
  expect([cpuUnits("2"), cpuUnits("500m"), cpuUnits("much")]).toEqual([2048, 512, undefined]);
  expect([memoryMib("4Gi"), memoryMib("512Mi"), memoryMib("1Ti")]).toEqual([4096, 512, undefined]);
  expect(smallestFargate(300, 700)).toEqual({ cpu: 512, memory: 1024 });
  expect(smallestFargate(256, 600)).toEqual({ cpu: 256, memory: 1024 });
  expect(smallestFargate(256, 9000)).toEqual({ cpu: 2048, memory: 9216 });
  expect(smallestFargate(32_768, 1)).toBeUndefined();
});
