import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import {
  alreadyExists,
  defineResource,
  notFound,
  ProviderFailure,
  z,
  type CallContext,
  type ResourceState,
} from "@wfctl/plugin-sdk";
import type { LocalClient } from "../client.ts";
import { hasCode, refused } from "../errors.ts";
import { exists, removeEmptyFolders, toFileName } from "../files.ts";
import { distinction } from "../ownership.ts";
import { bringUp } from "../services/bring-up.ts";
import { readStatus, stopService } from "../services/launch.ts";
import { findFreePort, isPortFree } from "../services/ports.ts";
import {
  createServiceFolder,
  listServices,
  pathsOf,
  readServiceFile,
  serviceFileName,
  stagingFolder,
  writeServiceFile,
  type ServiceFile,
  type ServicePaths,
  type ServiceSpec,
} from "../services/service-file.ts";
import { describe, isUp, statusWord } from "../services/status.ts";
import { serviceInput } from "./container-input.ts";

const outputs = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  host: z.string(),
  port: z.number(),
  log_path: z.string(),
});
type Outputs = z.output<typeof outputs>;
type State = ResourceState<ServiceSpec, Outputs>;
type Context = CallContext<LocalClient>;

/** A command that a supervisor of its own keeps running. Its id is the name of its folder. */
export const containerService = defineResource<LocalClient>()({
  type: "infra.container_service",
  description: "A supervised process on this machine",
  input: serviceInput,
  outputs,
  sensitiveInputs: ["env_vars_secret"],
  resetWhenUnset: ["health_check", "http_port", "command", "run_command", "args", "working_dir"],
  convergentCreate: true,
  settleMs: 1,
  timeouts: { create: 300_000, read: 30_000, update: 300_000, delete: 300_000 },
  tier: 1,

  async create({ name, input }, context) {
    const { client, clientToken, owner } = context;
    const id = `${toFileName(name)}-${distinction(owner, clientToken)}`;
    const paths = pathsOf(client, id);
    const before = await readServiceFile(paths.folder);
    const isNew = before?.token !== clientToken;
    if (isNew) {
      if (before !== undefined) return alreadyExists(`Service "${id}" is there already, made by another create`);
      const service = {
        version: 1 as const,
        id,
        name,
        token: clientToken,
        owner,
        port: await choosePort(client, input),
        spec: input,
      };
      await createFolder(client, service, paths);
    }
    context.partial(id);
    const service = isNew
      ? (await readServiceFile(paths.folder))!
      : { ...before, spec: input, owner: owner ?? before.owner };
    if (!isNew) await writeServiceFile(paths.folder, service);
    if (isNew) {
      await bringUp(service, paths, context).catch(async (error: unknown) => {
        // A command that cannot even be started leaves nothing.
        if (error instanceof ProviderFailure && error.class === "validation") await remove(client, paths, 0);
        throw error;
      });
    } else await bringUp(service, paths, context).catch(changedSomething);
    return { ...(await stateOf(client, service, context)), created: isNew };
  },

  async read(ref, context) {
    const service = await locate(ref, context);
    return service === undefined ? notFound() : stateOf(context.client, service, context);
  },

  async update(ref, { input }, context) {
    const before = await locate(ref, context);
    if (before === undefined) return notFound();
    return change(before, input, context);
  },

  async delete(ref, context) {
    const service = await locate(ref, context);
    if (service === undefined) {
      if (ref.id !== "") await removeRest(context.client, ref.id);
      return notFound();
    }
    const paths = pathsOf(context.client, service.id);
    const { drain_seconds: drain, grace_period_seconds: grace } = service.spec.termination;
    context.progress(`Stopping service ${service.name}`, { waiting: true });
    await remove(context.client, paths, (drain + grace) * 1000, context.signal);
    return undefined;
  },

  async lookup({ token }, { client, ...context }) {
    for await (const service of listServices(client)) {
      if (service.token === token) return stateOf(client, service, context);
    }
    // The create was killed before the folder appeared: what it had prepared is removed.
    await rm(stagingFolder(client, token), { recursive: true, force: true });
    await removeEmptyFolders(client.services, client.root);
    return notFound();
  },

  async *list({ client, ...context }) {
    for await (const service of listServices(client)) yield await stateOf(client, service, context);
  },

  async scale(ref, replicas, context) {
    const before = await locate(ref, context);
    if (before === undefined) return notFound();
    const input =
      replicas === 0 ? { ...before.spec, running: false } : { ...before.spec, running: true, instance_count: replicas };
    return change(before, input, context);
  },

  async setOwner(ref, owner, context) {
    const service = await locate(ref, context);
    if (service === undefined) return notFound();
    await writeServiceFile(pathsOf(context.client, service.id).folder, { ...service, owner });
    return undefined;
  },

  async health(ref, context) {
    const service = await locate(ref, context);
    if (service === undefined) throw new ProviderFailure("not_found", `service "${ref.name}"`);
    const status = await readStatus(pathsOf(context.client, service.id), context.signal);
    return { healthy: isUp(status), message: describe(status) };
  },

  async troubleshoot(ref, _failure, context) {
    const service = await locate(ref, context);
    if (service === undefined) return [];
    const paths = pathsOf(context.client, service.id);
    const status = await readStatus(paths, context.signal);
    const cause = describe(status);
    return [{ id: service.id, phase: statusWord(service, status), cause, detail: `Its output is in ${paths.log}` }];
  },

  /** The command runs at low priority on small tiers; nothing else on this machine has a size. */
  sizing({ size }) {
    const nice = { xs: 10, s: 5 }[size];
    return nice === undefined ? undefined : { instanceType: "", specs: { nice } };
  },
});

async function choosePort(client: LocalClient, input: ServiceSpec): Promise<number> {
  const taken = new Set<number>();
  for await (const { port } of listServices(client)) taken.add(port);
  const wanted = input.http_port;
  if (wanted === undefined) return findFreePort(taken);
  if (await isPortFree(wanted)) return wanted;
  throw new ProviderFailure("validation", `Port ${wanted} on 127.0.0.1 is in use; free it, or leave http_port out`);
}

async function createFolder(client: LocalClient, service: ServiceFile, paths: ServicePaths): Promise<void> {
  try {
    await createServiceFolder(client, service);
  } catch (error) {
    await removeEmptyFolders(client.services, client.root);
    if (hasCode(error, "EEXIST")) throw new ProviderFailure("already_exists", `"${paths.folder}" is there already`);
    throw refused(error, `create the folder of service "${service.name}"`);
  }
}

async function change(before: ServiceFile, input: ServiceSpec, context: Context): Promise<State> {
  const { client } = context;
  const paths = pathsOf(client, before.id);
  const wanted = input.http_port;
  const port = wanted === undefined || wanted === before.port ? before.port : await choosePort(client, input);
  const service: ServiceFile = { ...before, spec: input, port, owner: context.owner ?? before.owner };
  await writeServiceFile(paths.folder, service);
  context.partial(service.id, { ...outputsOf(client, service) });
  await bringUp(service, paths, context).catch(changedSomething);
  return stateOf(client, service, context);
}

/** A refusal to start a command promises that nothing was changed, which is true of a fresh service only. */
function changedSomething(error: unknown): never {
  if (error instanceof ProviderFailure && error.class === "validation") {
    throw new ProviderFailure("unknown", error.message, { cause: error });
  }
  throw error;
}

async function locate(ref: { id: string; name: string }, { client, owner }: Context): Promise<ServiceFile | undefined> {
  if (ref.id !== "") return isPlainId(ref.id) ? readServiceFile(pathsOf(client, ref.id).folder) : undefined;
  const named: ServiceFile[] = [];
  for await (const service of listServices(client)) if (service.name === ref.name) named.push(service);
  const own = owner === undefined ? [] : named.filter((each) => each.owner === owner);
  const candidates = own.length > 0 ? own : named;
  if (candidates.length > 1) {
    const ids = candidates.map(({ id }) => `"${id}"`).join(", ");
    throw new ProviderFailure("validation", `Several services are called "${ref.name}": ${ids}; name one by its id`);
  }
  return candidates[0];
}

/** An id is one name: it never leads out of the folder of services. */
function isPlainId(id: string): boolean {
  return !id.includes("/") && !id.startsWith(".");
}

async function stateOf(client: LocalClient, service: ServiceFile, context: { signal: AbortSignal }): Promise<State> {
  const status = await readStatus(pathsOf(client, service.id), context.signal);
  const spec = status?.spec ?? service.spec;
  const alive = status !== undefined && status.instances.some(({ state }) => state !== "stopped");
  return {
    id: service.id,
    name: service.name,
    owner: service.owner,
    outputs: outputsOf(client, service),
    inputs: { ...spec, running: alive },
    status: statusWord(service, status),
    // A process can die at any time: no record of it is trusted.
    revisitAt: new Date(0),
  };
}

function outputsOf(client: LocalClient, { id, name, port }: ServiceFile): Outputs {
  return { id, name, url: `http://127.0.0.1:${port}`, host: "127.0.0.1", port, log_path: pathsOf(client, id).log };
}

/** Ends the service and removes its folder, the service file last: until then it is found again. */
async function remove(client: LocalClient, paths: ServicePaths, graceMs: number, signal?: AbortSignal): Promise<void> {
  await stopService(paths, graceMs, signal);
  for (const name of await readdir(paths.folder)) {
    if (name !== serviceFileName) await rm(join(paths.folder, name), { recursive: true, force: true });
  }
  await rm(paths.file, { force: true });
  await rmdir(paths.folder);
  await removeEmptyFolders(client.services, client.root);
}

/** What is left of a service whose file is gone: a delete that was killed at the very end. */
async function removeRest(client: LocalClient, id: string): Promise<void> {
  if (!isPlainId(id)) return;
  const { folder } = pathsOf(client, id);
  if (await exists(folder)) await rm(folder, { recursive: true, force: true });
  await removeEmptyFolders(client.services, client.root);
}
