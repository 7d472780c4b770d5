import { Worker } from "node:worker_threads";
import type { WorkerOptions } from "./protocol.ts";

/** The one place that knows where the worker's code is: beside this file in the sources, beside the bundle when built. */
export function spawnWorker(options: WorkerOptions): Worker {
  const url = import.meta.url.endsWith(".ts")
    ? new URL("./worker.ts", import.meta.url)
    : new URL("./worker.js", import.meta.url);
  return new Worker(url, { workerData: options });
}
