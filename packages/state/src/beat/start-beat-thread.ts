import { Worker } from "node:worker_threads";
import type { WfctlError } from "@wfctl/model";
import { lostError } from "../lease/lease-view.ts";
import type { BeatMessage, BeatOptions } from "./protocol.ts";

/**
 * Beats for a lease in a thread of its own until it is stopped. Reports the loss of the lease once; a thread that ends of
 * itself is a loss too, since nobody beats any more. Keeps no process alive.
 */
export function startBeatThread(options: BeatOptions, onLost: (error: WfctlError) => void): () => void {
  // Beside this file in the sources, beside the bundle when built.
  const url = import.meta.url.endsWith(".ts")
    ? new URL("./beat-worker.ts", import.meta.url)
    : new URL("./beat-worker.js", import.meta.url);
  const worker = new Worker(url, { workerData: options });
  worker.unref();
  let over = false;
  const lose = (): void => {
    if (over) return;
    over = true;
    onLost(lostError("Beating for the lease"));
    void worker.terminate();
  };
  worker.on("message", (message: BeatMessage) => {
    if (message === "lost") lose();
  });
  worker.on("error", lose);
  worker.on("exit", lose);
  return () => {
    over = true;
    void worker.terminate();
  };
}
