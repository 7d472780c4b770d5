import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { serviceNames, type ServiceName } from "../src/client.ts";
import { failureOf } from "../src/errors.ts";
import { operationsOfAll } from "../src/write-permissions.ts";
import { isMotoMissing } from "./testing/harness.ts";
import { motoPackages, startMoto } from "./testing/moto.ts";

interface Model {
  readonly operations: Readonly<Record<string, { readonly errors?: readonly { readonly shape: string }[] }>>;
  readonly shapes: Readonly<Record<string, { readonly error?: { readonly code?: string } }>>;
}

const installTimeoutMs = 600_000;
/** Names of the models where they are not ours. */
const modelNames: Readonly<Partial<Record<ServiceName, string>>> = { autoscaling: "application-autoscaling" };

/** The newest model of a service that comes with moto. */
function readModel(service: ServiceName): Model {
  const folder = join("botocore/data", modelNames[service] ?? service, "*/service-2.json.gz");
  const newest = globSync(folder, { cwd: motoPackages() }).toSorted().at(-1) ?? "";
  return JSON.parse(gunzipSync(readFileSync(join(motoPackages(), newest))).toString("utf8")) as Model;
}

describe.skipIf(isMotoMissing)("errors of the services' models", () => {
  beforeAll(async () => void (await startMoto()), installTimeoutMs);

  test.each(serviceNames)("every error of an operation of %s that is called has a class", (service) => {
    const { operations, shapes } = readModel(service);
    const called = operationsOfAll().filter(([each]) => each === service);
    const unknown = called.flatMap(([, operation]) =>
      (operations[operation]?.errors ?? []).flatMap(({ shape }) => {
        const name = shapes[shape]?.error?.code ?? shape;
        const thrown = Object.assign(new Error("as the model says"), { name });
        return failureOf(thrown, { service, operation, input: {} }).class === "unknown" ? [name] : [];
      }),
    );
    expect(called.length, `operations of ${service} that are called`).toBeGreaterThan(0);
    expect([...new Set(unknown)].toSorted()).toEqual([]);
  });
});
