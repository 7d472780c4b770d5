import { extServiceNames, iac, iacServiceNames, unaryCall } from "@wfctl/contract";
import type { Clock } from "@wfctl/engine";
import { ProviderError, type PluginProcess } from "@wfctl/model";

import { createCarefulDrivers } from "./careful-drivers.ts";
import type { ConfiguredPlugin } from "./configure.ts";
import type { Drivers } from "./drivers.ts";
import { isUnimplemented } from "./load-failure.ts";
import { askPatiently } from "./ask-patiently.ts";
import { createProgressWatch } from "./progress-watch.ts";
import { createSessionDrivers } from "./session-drivers.ts";
import { createDriverSession, type DriverSession } from "./session.ts";
import { createCallNotice } from "./tell-waiting.ts";
import { createUnaryDrivers } from "./unary-drivers.ts";

/** One configured process with the ways to call it. */
export interface RunningProvider {
  readonly plugin: ConfiguredPlugin;
  readonly process: PluginProcess;
  readonly drivers: Drivers;
  readonly session: DriverSession | undefined;
  /** Output keys of a type that are secret whatever a reply says. Never rejects. */
  sensitiveKeys(type: string): Promise<readonly string[]>;
}

const sensitiveKeysTimeoutMs = 10_000;

export function createRunning(plugin: ConfiguredPlugin, process: PluginProcess, clock: Clock): RunningProvider {
  const { services, connection, schemas } = plugin.loaded;
  const session = services.has(extServiceNames.DriverSession) ? createDriverSession(connection.client) : undefined;
  return {
    plugin,
    process,
    session,
    drivers: createCarefulDrivers(chooseDrivers(plugin, session), {
      clock,
      declares: (type) => schemas?.types.has(type) === true,
    }),
    sensitiveKeys: createSensitiveKeys(plugin),
  };
}

/** The session where there is one; single rpcs where there is none, or it turns out not to be served. */
function chooseDrivers({ loaded }: ConfiguredPlugin, session: DriverSession | undefined): Drivers {
  const { services, connection, subject } = loaded;
  const extensions = Object.values(extServiceNames).some((name) => services.has(name));
  const byRpc = services.has(iacServiceNames.ResourceDriver)
    ? createUnaryDrivers(connection.client, {
        mayGuess: !extensions,
        ...(services.has(extServiceNames.RunControl) ? { watchProgress: createProgressWatch(connection.client) } : {}),
      })
    : undefined;
  if (session !== undefined) return createSessionDrivers(session, byRpc);
  return byRpc ?? noDrivers(subject.title);
}

function noDrivers(title: string): Drivers {
  const refuse = (): Promise<never> => {
    return Promise.reject(
      new ProviderError("unsupported", `Plugin ${title} does not advertise ${iacServiceNames.ResourceDriver}`),
    );
  };
  return { create: refuse, read: refuse, update: refuse, delete: refuse, diff: refuse, lookup: refuse };
}

/** From the schemas, else asked once per type. What could not be asked is asked again with the next reply. */
function createSensitiveKeys({ loaded }: ConfiguredPlugin): (type: string) => Promise<readonly string[]> {
  const { schemas, services, connection, subject } = loaded;
  const tellLate = createCallNotice(subject.waiting, subject.title);
  const known = new Map<string, Promise<readonly string[]>>();
  const ask = async (resourceType: string): Promise<readonly string[]> => {
    const { sensitiveKeys } = iac.ResourceDriver.method;
    const deadline = Date.now() + sensitiveKeysTimeoutMs;
    try {
      const asked = askPatiently(
        () => unaryCall(connection.client, sensitiveKeys, { resourceType }, { deadline }),
        deadline,
      );
      const { response } = await tellLate(asked, `SensitiveKeys of ${resourceType}`, sensitiveKeysTimeoutMs);
      return response.keys;
    } catch (error) {
      if (!isUnimplemented(error)) known.delete(resourceType);
      return [];
    }
  };
  return (type) => {
    const declared = schemas?.types.get(type)?.sensitiveOutputs;
    if (declared !== undefined) return Promise.resolve(declared);
    if (!services.has(iacServiceNames.ResourceDriver)) return Promise.resolve([]);
    let keys = known.get(type);
    if (keys === undefined) known.set(type, (keys = ask(type)));
    return keys;
  };
}
