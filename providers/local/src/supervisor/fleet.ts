import { mkdirSync, writeFileSync, renameSync } from "node:fs";
import type { SupervisorStatus } from "../services/control.ts";
import { findFreePort } from "../services/ports.ts";
import { endService } from "../services/processes.ts";
import { pathsIn, type ServiceFile } from "../services/service-file.ts";
import { startBalancer, type Balancer } from "./balancer.ts";
import { startInstance, type Instance } from "./instance.ts";
import { openLogFile } from "./log-file.ts";

/** All instances of the service. */
export interface Fleet {
  status(): SupervisorStatus;
  /** Ends what runs and starts what the service file wants. */
  apply(service: ServiceFile): Promise<void>;
  stop(): Promise<void>;
}

export function createFleet(folder: string, first: ServiceFile): Fleet {
  const paths = pathsIn(folder);
  const log = openLogFile(paths.log, first.spec.log);
  let service = first;
  let instances: { readonly port: number; readonly instance: Instance }[] = [];
  let balancer: Balancer | undefined;

  const recordProcesses = (): void => {
    const marks = instances.map(({ instance }) => instance.mark()).filter((mark) => mark !== undefined);
    try {
      writeFileSync(`${paths.state}.tmp`, JSON.stringify({ processes: marks }), { mode: 0o600 });
      renameSync(`${paths.state}.tmp`, paths.state);
    } catch {
      // The folder is gone, or the disk is full: neither may end what runs.
    }
  };

  const start = async (): Promise<void> => {
    const { spec, port } = service;
    const workingFolder = spec.working_dir ?? paths.work;
    if (spec.working_dir === undefined) mkdirSync(workingFolder, { recursive: true, mode: 0o700 });
    log.setLimits(spec.log);
    const taken = new Set([port]);
    for (let index = 0; index < spec.instance_count; index += 1) {
      const own = spec.instance_count === 1 ? port : await findFreePort(taken);
      taken.add(own);
      const instance = startInstance({
        index,
        port: own,
        folder,
        workingFolder,
        spec,
        log,
        onChange: recordProcesses,
      });
      instances.push({ port: own, instance });
    }
    if (spec.instance_count > 1) {
      balancer = startBalancer(port, () =>
        instances
          .filter(({ instance }) => instance.status().state === "running" && instance.status().health !== "unhealthy")
          .map((each) => each.port),
      );
    }
  };

  const stop = async (): Promise<void> => {
    const { drain_seconds: drain, grace_period_seconds: grace } = service.spec.termination;
    const graceMs = (drain + grace) * 1000;
    balancer?.close();
    balancer = undefined;
    const marks = instances.map(({ instance }) => instance.mark()).filter((mark) => mark !== undefined);
    await Promise.all(instances.map(({ instance }) => instance.stop(graceMs)));
    await endService(folder, marks, graceMs);
    instances = [];
    recordProcesses();
  };

  let work: Promise<void> = start();
  const enqueue = (task: () => Promise<void>): Promise<void> => {
    work = work.then(task, task);
    return work;
  };
  return {
    status: () => ({
      pid: process.pid,
      spec: service.spec,
      port: service.port,
      instances: instances.map(({ instance }) => instance.status()),
      spawnError: instances.map(({ instance }) => instance.spawnError()).find((error) => error !== undefined),
    }),
    apply: (next) =>
      enqueue(async () => {
        await stop();
        service = next;
        await start();
      }),
    stop: () => enqueue(stop),
  };
}
