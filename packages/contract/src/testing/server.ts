import * as grpc from "@grpc/grpc-js";
import { onTestFinished } from "vitest";

// For tests: a real server on a free port of the loopback, ended with the test.

/** A server with what `register` adds, and a client on it. */
export async function connect(
  register: (server: grpc.Server) => void,
  options: { server?: grpc.ServerOptions; client?: grpc.ClientOptions } = {},
): Promise<grpc.Client> {
  const server = new grpc.Server(options.server);
  register(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), options.client);
  onTestFinished(() => {
    client.close();
    server.forceShutdown();
  });
  return client;
}

/** What the promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  const succeeded = Symbol("succeeded");
  const outcome = await promise.then(
    () => succeeded,
    (error: unknown) => error,
  );
  if (outcome === succeeded) throw new Error("The call succeeded where it should have failed");
  return outcome;
}

/** A method that answers raw bytes: what a broken plugin may send. */
export function rawService(
  path: string,
  handler: grpc.UntypedHandleCall,
): [grpc.ServiceDefinition, grpc.UntypedServiceImplementation] {
  const identity = (bytes: Buffer): Buffer => bytes;
  const requestStream = false;
  const responseStream = path.endsWith("StreamStdio");
  return [
    {
      call: {
        path,
        requestStream,
        responseStream,
        requestSerialize: identity,
        requestDeserialize: identity,
        responseSerialize: identity,
        responseDeserialize: identity,
      },
    },
    { call: handler },
  ];
}

/** Field 1 of length 5, but only one byte follows. */
export const truncated = Buffer.from([0x0a, 0x05, 0x01]);
