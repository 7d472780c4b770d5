import { iacServices, serveService } from "@wfctl/contract";
import type * as grpc from "@grpc/grpc-js";
import { systemClock } from "../author/clock.ts";
import type { Provider } from "../author/define-provider.ts";
import { createLog } from "../author/log.ts";
import { driverService } from "./driver-service.ts";
import { extensionServices } from "./extension-services.ts";
import { addHostServices } from "./host-services.ts";
import { optionalServices, serve, type ServedService } from "./optional-services.ts";
import { requiredService } from "./required-service.ts";
import { createRuntime, type Runtime } from "./runtime.ts";

/** Adds all services to the server. */
export function addServices(server: grpc.Server, runtime: Runtime): void {
  const services = contractServices(runtime);
  for (const { service, handlers } of services) serveService(server, service, handlers);
  addHostServices(server, runtime, namesOf(services));
}

/** Full names of what the provider's process serves of upstream's contract and of ours, sorted. */
export function advertisedServices(provider: Provider): string[] {
  const runtime = createRuntime(provider, {
    clock: systemClock,
    log: createLog(() => {}),
    ending: new AbortController().signal,
    end: () => {},
  });
  return namesOf(contractServices(runtime));
}

function contractServices(runtime: Runtime): ServedService[] {
  return [
    serve(iacServices.IaCProviderRequired, requiredService(runtime)),
    serve(iacServices.ResourceDriver, driverService(runtime)),
    ...optionalServices(runtime),
    ...extensionServices(runtime),
  ];
}

function namesOf(services: readonly ServedService[]): string[] {
  return services.map(({ service }) => service.typeName).toSorted();
}
