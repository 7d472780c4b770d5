import { parentPort } from "node:worker_threads";
import { playSeeds } from "./simulate.ts";

/** Plays the ranges of seeds that it is sent, one after the other. */
parentPort?.on("message", (part: { readonly from: number; readonly count: number }) => {
  void playSeeds(part.from, part.count).then((failures) => parentPort?.postMessage(failures));
});
