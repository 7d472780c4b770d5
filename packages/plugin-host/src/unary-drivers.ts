import type { DescMessage, DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import type * as grpc from "@grpc/grpc-js";
import {
  decodeDiff,
  decodeDriverObject,
  decodeOutput,
  decodeReplyTrailers,
  encodeOutput,
  encodeRef,
  encodeSpec,
  ext,
  iac,
  toProviderError,
} from "@wfctl/contract";
import type { CallOptions, LiveObject } from "@wfctl/engine";

import { encoded, isGone, missingInReply, saysAbsent, type Drivers } from "./drivers.ts";
import { callUnary, type UnaryReply } from "./unary-call.ts";

export interface UnaryDriverOptions {
  /** The plugin may tell a missing object by words only. */
  readonly mayGuess: boolean;
  /** Tells what the plugin reports of a call beside the call, until the returned function is called. */
  readonly watchProgress?: (options: CallOptions) => () => void;
}

/** Driver calls as one rpc each: what every plugin of the contract serves. */
export function createUnaryDrivers(client: grpc.Client, { mayGuess, watchProgress }: UnaryDriverOptions): Drivers {
  const driver = iac.ResourceDriver.method;
  const send = async <I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
  ): Promise<UnaryReply<O>> => {
    const unwatch = watchProgress?.(options);
    try {
      return await callUnary(client, method, request, options);
    } finally {
      unwatch?.();
    }
  };

  return {
    async create(spec, options) {
      const request = encoded(() => ({ resourceType: spec.type, spec: encodeSpec(spec) }));
      return readObject("Create", await send(driver.create, request, options));
    },
    async read(ref, options) {
      try {
        return readObject("Read", await send(driver.read, { resourceType: ref.type, ref: encodeRef(ref) }, options));
      } catch (thrown) {
        const error = toProviderError(thrown);
        if (saysAbsent(error, mayGuess)) return undefined;
        throw error;
      }
    },
    async update(ref, spec, options) {
      const request = encoded(() => ({ resourceType: spec.type, ref: encodeRef(ref), spec: encodeSpec(spec) }));
      return readObject("Update", await send(driver.update, request, options));
    },
    async delete(ref, options) {
      try {
        await send(driver.delete, { resourceType: ref.type, ref: encodeRef(ref) }, options);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    },
    async diff(spec, current, options) {
      const request = encoded(() => ({
        resourceType: spec.type,
        desired: encodeSpec(spec),
        // Upstream's hosts never send the sensitive map along.
        current: encodeOutput({ ...current, sensitive: [] }),
      }));
      const { response } = await send(driver.diff, request, options);
      return decoded(() => decodeDiff(response.result));
    },
    async lookup(type, clientToken, name, options) {
      const request = { resourceType: type, clientToken, name, owner: options.owner ?? "" };
      const { response } = await send(ext.ClientTokens.method.lookup, request, options);
      if (!response.found) return undefined;
      if (response.object === undefined) throw missingInReply("Lookup");
      const { object } = response;
      return decoded(() => decodeDriverObject(object));
    },
  };
}

function readObject(
  call: string,
  { response, trailers }: { response: { output?: iac.ResourceOutput | undefined }; trailers: grpc.Metadata },
): LiveObject {
  const { output } = response;
  if (output === undefined) throw missingInReply(call);
  return decoded(() => ({ ...decodeOutput(output), ...decodeReplyTrailers(trailers) }));
}

/** A success whose content cannot be read is a lost answer. */
function decoded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw toProviderError(error);
  }
}
