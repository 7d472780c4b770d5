import {
  decodeDriverDiff,
  decodeDriverObject,
  driverRequestSpec,
  ext,
  jsonToBytes,
  toProviderError,
} from "@wfctl/contract";
import type { CallOptions, LiveObject, Spec } from "@wfctl/engine";

import { callContext, encoded, isGone, missingInReply, saysAbsent, type Drivers } from "./drivers.ts";
import { SessionUnimplemented, type DriverSession, type SessionRequest } from "./session.ts";

const { DriverOperation } = ext;

/** Driver calls over a session, or over `fallback` once the plugin turns out not to serve the session it advertises. */
export function createSessionDrivers(session: DriverSession, fallback: Drivers | undefined): Drivers {
  let unserved = false;
  const orFallback = async <T>(bySession: () => Promise<T>, byRpc: (drivers: Drivers) => Promise<T>): Promise<T> => {
    if (!unserved || fallback === undefined) {
      try {
        return await bySession();
      } catch (error) {
        if (!(error instanceof SessionUnimplemented)) throw toProviderError(error);
        unserved = true;
        if (fallback === undefined) throw toProviderError(error);
      }
    }
    return await byRpc(fallback);
  };
  const send = (name: string, operation: ext.DriverOperation, request: SessionRequest, options: CallOptions) =>
    session.call(name, { operation, ...request, ...callContext(options), priority: options.priority ?? 0 }, options);

  return {
    create: (spec, options) =>
      orFallback(
        async () => readObject("Create", await send("Create", DriverOperation.CREATE, specFields(spec), options)),
        (drivers) => drivers.create(spec, options),
      ),
    read: (ref, options) =>
      orFallback(
        async () => {
          try {
            const reply = await send("Read", DriverOperation.READ, refFields(ref), options);
            return reply.absent ? undefined : readObject("Read", reply);
          } catch (thrown) {
            if (thrown instanceof SessionUnimplemented) throw thrown;
            const error = toProviderError(thrown);
            if (saysAbsent(error, false)) return undefined;
            throw error;
          }
        },
        (drivers) => drivers.read(ref, options),
      ),
    update: (ref, spec, options) =>
      orFallback(
        async () => {
          const request = { ...specFields(spec), providerId: ref.providerId };
          return readObject("Update", await send("Update", DriverOperation.UPDATE, request, options));
        },
        (drivers) => drivers.update(ref, spec, options),
      ),
    delete: (ref, options) =>
      orFallback(
        async () => {
          try {
            await send("Delete", DriverOperation.DELETE, refFields(ref), options);
          } catch (error) {
            if (!isGone(error)) throw error;
          }
        },
        (drivers) => drivers.delete(ref, options),
      ),
    diff: (spec, current, options) =>
      orFallback(
        async () => {
          const request = {
            ...driverRequestSpec(spec),
            providerId: current.providerId,
            currentOutputsJson: jsonToBytes(current.outputs, "DriverRequest.current_outputs_json"),
            currentInputsJson: jsonToBytes(current.inputs, "DriverRequest.current_inputs_json"),
          };
          const reply = await send("Diff", DriverOperation.DIFF, request, options);
          return decodeDriverDiff(reply.diff);
        },
        (drivers) => drivers.diff(spec, current, options),
      ),
    lookup: (type, clientToken, name, options) =>
      orFallback(
        async () => {
          const request = { resourceType: type, name };
          const reply = await send("Lookup", DriverOperation.LOOKUP, request, { ...options, clientToken });
          return reply.absent ? undefined : readObject("Lookup", reply);
        },
        (drivers) => drivers.lookup(type, clientToken, name, options),
      ),
  };
}

function specFields(spec: Spec) {
  return encoded(() => driverRequestSpec(spec));
}

function refFields(ref: { readonly name: string; readonly type: string; readonly providerId: string }) {
  return { resourceType: ref.type, name: ref.name, providerId: ref.providerId };
}

function readObject(call: string, reply: ext.DriverReply): LiveObject {
  if (reply.object === undefined) throw missingInReply(call);
  return decodeDriverObject(reply.object);
}
