import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Report } from "./main.ts";
import { renderReadme } from "./readme-table.ts";

const begin = "<!-- bench: made by bench/readme.ts -->";
const end = "<!-- /bench -->";

const { positionals } = parseArgs({ allowPositionals: true });
const [name] = positionals;
if (name === undefined)
  throw new Error("Usage: node bench/readme.ts NAME, where bench/results/NAME.json was saved with --save NAME");
const report = JSON.parse(readFileSync(join(import.meta.dirname, "results", `${name}.json`), "utf8")) as Report;
const path = join(import.meta.dirname, "../README.md");
const text = readFileSync(path, "utf8");
const [from, to] = [text.indexOf(begin), text.indexOf(end)];
if (from < 0 || to < from)
  throw new Error(`README.md has no place for the figures: write "${begin}" and "${end}" in it`);
writeFileSync(path, `${text.slice(0, from + begin.length)}\n${renderReadme(report, name)}${text.slice(to)}`);
process.stdout.write(`README.md holds the figures of bench/results/${name}.json\n`);
