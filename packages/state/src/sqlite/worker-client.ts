import { WfctlError } from "@wfctl/model";
import { fromPlain, toStoreError } from "./errors.ts";
import type { WorkerCalls, WorkerMessage, WorkerOptions } from "./protocol.ts";
import { spawnWorker } from "./spawn-worker.ts";

/** Asks the store's worker. A worker that dies fails every open and later call; an idle one keeps no process alive. */
export interface WorkerClient {
  call<Name extends keyof WorkerCalls>(name: Name, ask: WorkerCalls[Name]["ask"]): Promise<WorkerCalls[Name]["reply"]>;
}

interface Open {
  readonly resolve: (reply: never) => void;
  readonly reject: (error: WfctlError) => void;
}

export function startWorker(options: WorkerOptions, onLost: (fence: number, error: WfctlError) => void): WorkerClient {
  const worker = spawnWorker(options);
  const open = new Map<number, Open>();
  let lastId = 0;
  let dead: WfctlError | undefined;
  worker.unref();

  const die = (error: WfctlError): void => {
    dead ??= error;
    for (const { reject } of open.values()) reject(dead);
    open.clear();
    worker.unref();
  };
  worker.on("error", (error) => die(toStoreError(error, `Opening the state '${options.path}'`)));
  worker.on("exit", () => {
    die(new WfctlError("STORE_UNAVAILABLE", `Writing the state '${options.path}' failed: the store is closed`));
  });
  worker.on("message", (message: WorkerMessage) => {
    if ("lost" in message) return onLost(message.lost, fromPlain(message.error));
    const waiting = open.get(message.id);
    open.delete(message.id);
    if (open.size === 0) worker.unref();
    if ("error" in message) waiting?.reject(fromPlain(message.error));
    else waiting?.resolve(message.reply as never);
  });

  return {
    call(name, ask) {
      if (dead !== undefined) return Promise.reject(dead);
      lastId += 1;
      const id = lastId;
      worker.ref();
      return new Promise((resolve, reject) => {
        open.set(id, { resolve, reject });
        worker.postMessage({ id, call: name, ...ask });
      });
    },
  };
}
