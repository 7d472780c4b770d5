import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";

/** What one command cost, over its whole process tree. */
export interface Measured {
  readonly ms: number;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** User and system time of all processes, in milliseconds. */
  readonly cpuMs: number;
  /** Peak resident set of the command's own process and of the largest other one, in bytes. */
  readonly hostPeakBytes: number;
  readonly pluginPeakBytes: number;
  /** Bytes that the tree gave to the block layer. */
  readonly writtenBytes: number;
}

interface Sample {
  cpuMs: number;
  peakBytes: number;
  writtenBytes: number;
}

const sampleEveryMs = 25;
/** Looking for new processes means looking at all: often while a command starts its plugins, seldom after that. */
const looksAtFirst = 20;
const samplesToALook = 20;

/** Runs a command to its end. Costs are read from /proc while it runs, high-water marks included, so that little is missed. */
export async function measure(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Measured> {
  const samples = new Map<number, Sample>();
  const started = performance.now();
  const child = spawn(command, args, { cwd: options.cwd, env: options.env, stdio: ["ignore", "pipe", "pipe"] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  const root = child.pid ?? -1;
  let tree = [root];
  let taken = 0;
  const sampler = setInterval(() => {
    if (taken < looksAtFirst || taken % samplesToALook === 0) tree = treeOf(root);
    taken += 1;
    sampleAll(tree, samples);
  }, sampleEveryMs);
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
  const ms = performance.now() - started;
  clearInterval(sampler);
  const others = [...samples].filter(([pid]) => pid !== root).map(([, sample]) => sample.peakBytes);
  const all = [...samples.values()];
  return {
    ms,
    exitCode,
    stdout: Buffer.concat(out).toString(),
    stderr: Buffer.concat(err).toString(),
    cpuMs: all.reduce((sum, sample) => sum + sample.cpuMs, 0),
    hostPeakBytes: samples.get(root)?.peakBytes ?? 0,
    pluginPeakBytes: others.length === 0 ? 0 : Math.max(...others),
    writtenBytes: all.reduce((sum, sample) => sum + sample.writtenBytes, 0),
  };
}

function sampleAll(pids: readonly number[], samples: Map<number, Sample>): void {
  for (const pid of pids) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const io = readFileSync(`/proc/${pid}/io`, "utf8");
      // A process that has just ended shows no memory any more: what was seen before stands.
      const before = samples.get(pid);
      samples.set(pid, {
        cpuMs: (Number(fields[11]) + Number(fields[12])) * 10,
        peakBytes: Math.max(before?.peakBytes ?? 0, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024),
        writtenBytes: Math.max(before?.writtenBytes ?? 0, Number(/^write_bytes: (\d+)/m.exec(io)?.[1] ?? 0)),
      });
    } catch {
      // The process ended between two looks: its last sample stands.
    }
  }
}

function treeOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      children.set(parent, [...(children.get(parent) ?? []), pid]);
    } catch {
      // Gone already.
    }
  }
  const tree: number[] = [];
  const queue = [root];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    tree.push(pid);
    queue.push(...(children.get(pid) ?? []));
  }
  return tree;
}
