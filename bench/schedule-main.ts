import { parseArgs } from "node:util";
import { describeEfficiency, measureSchedule } from "./schedule-distribution.ts";

const { values } = parseArgs({ options: { seeds: { type: "string", default: "200" } } });
for (const row of await measureSchedule(Number(values.seeds))) process.stdout.write(`${describeEfficiency(row)}\n`);
