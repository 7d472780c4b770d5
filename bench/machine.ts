import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { median } from "./statistics.ts";

/** What figures depend on, printed beside them. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  /** Median time of one fdatasync after a 4 KiB append, in milliseconds: what a durable commit costs at the least. */
  readonly fdatasyncMs: number;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    fdatasyncMs: Number(fdatasyncMs().toFixed(3)),
  };
}

function fdatasyncMs(): number {
  const directory = mkdtempSync(join(tmpdir(), "wfctl-bench-"));
  const file = openSync(join(directory, "sync"), "w");
  const block = Buffer.alloc(4096, 7);
  const times: number[] = [];
  for (let round = 0; round < 200; round += 1) {
    writeSync(file, block);
    const started = performance.now();
    fdatasyncSync(file);
    times.push(performance.now() - started);
  }
  closeSync(file);
  rmSync(directory, { recursive: true });
  return median(times);
}
