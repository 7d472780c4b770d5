import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { LocalClient } from "../client.ts";
import { hasCode } from "../errors.ts";
import { inFolder, readJsonFile, writeAtomically } from "../files.ts";
import { shortHash } from "../ownership.ts";

/** What a service is: the wanted input with what was decided once. Shared by the provider and the supervisor. */
export interface ServiceFile {
  readonly version: 1;
  /** Name of the folder; the provider's id. */
  readonly id: string;
  readonly name: string;
  readonly token: string;
  readonly owner?: string | undefined;
  /** On 127.0.0.1: the wanted one, else a free one that is kept. */
  readonly port: number;
  readonly spec: ServiceSpec;
}

export interface HealthCheck {
  readonly http_path?: string | undefined;
  readonly tcp_port?: number | undefined;
  readonly port?: number | undefined;
  readonly initial_delay_seconds: number;
  readonly period_seconds: number;
  readonly timeout_seconds: number;
  readonly success_threshold: number;
  readonly failure_threshold: number;
}

/** The input of `infra.container_service`, checked and with defaults. */
export interface ServiceSpec {
  readonly run_command?: string | undefined;
  readonly command?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  readonly env_vars: Readonly<Record<string, string>>;
  readonly env_vars_secret: Readonly<Record<string, string>>;
  readonly http_port?: number | undefined;
  readonly working_dir?: string | undefined;
  readonly health_check?: HealthCheck | undefined;
  readonly instance_count: number;
  readonly restart: "always" | "on_failure" | "never";
  readonly running: boolean;
  readonly nice: number;
  readonly log: { readonly max_bytes: number; readonly keep: number };
  readonly termination: { readonly drain_seconds: number; readonly grace_period_seconds: number };
}

/** First file of a service's folder, and the last that goes. Holds secrets: the folder is the user's own. */
export const serviceFileName = "service.json";

export interface ServicePaths {
  readonly folder: string;
  readonly file: string;
  readonly socket: string;
  readonly state: string;
  readonly work: string;
  readonly log: string;
  readonly supervisorLog: string;
}

export function pathsIn(folder: string): ServicePaths {
  return {
    folder,
    file: join(folder, serviceFileName),
    socket: join(folder, "control.sock"),
    state: join(folder, "state.json"),
    work: join(folder, "work"),
    log: join(folder, "service.log"),
    supervisorLog: join(folder, "supervisor.log"),
  };
}

export function pathsOf(client: LocalClient, id: string): ServicePaths {
  return pathsIn(join(client.services, id));
}

export async function readServiceFile(folder: string): Promise<ServiceFile | undefined> {
  const found = await readJsonFile(pathsIn(folder).file);
  return found?.["version"] === 1 ? (found as unknown as ServiceFile) : undefined;
}

export async function writeServiceFile(folder: string, service: ServiceFile): Promise<void> {
  await writeAtomically(pathsIn(folder).file, `${JSON.stringify(service, null, 2)}\n`, 0o600);
}

/** Makes the folder with its file inside, in one step. Fails with EEXIST where one is there. */
export async function createServiceFolder(client: LocalClient, service: ServiceFile): Promise<void> {
  const staging = stagingFolder(client, service.token);
  await rm(staging, { recursive: true, force: true });
  try {
    await inFolder(staging, () => writeServiceFile(staging, service));
    await rename(staging, join(client.services, service.id));
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw hasCode(error, "ENOTEMPTY", "ENOTDIR") ? Object.assign(new Error("exists"), { code: "EEXIST" }) : error;
  }
}

export function stagingFolder(client: LocalClient, token: string): string {
  return join(client.services, `.new-${shortHash(token, 16)}`);
}

export async function* listServices(client: LocalClient): AsyncGenerator<ServiceFile> {
  let names: string[];
  try {
    names = await readdir(client.services);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  for (const name of names.filter((each) => !each.startsWith(".")).toSorted()) {
    const service = await readServiceFile(join(client.services, name));
    if (service !== undefined) yield service;
  }
}
