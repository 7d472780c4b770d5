import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { serviceNames, type ServiceName } from "./client.ts";
import { permissionsOf } from "./permissions.ts";

const source = import.meta.dirname;
const call = new RegExp(`\\b(${serviceNames.join("|")})\\s*\\.([a-z]\\w+)\\(`, "g");
/** Files that every type uses, and that make no call of a service by themselves. */
const shared = /\/(?:calls|client|credentials|errors|limits|permissions)\.ts$|\/sdk\//;

/** Operations that the sources of a type call, such as `ec2.createVpc`: its own file and all that it imports. */
export function operationsOf(type: string): [service: ServiceName, operation: string][] {
  const pending = [join(source, "resources", `${type.replace("infra.", "").replaceAll("_", "-")}.ts`)];
  const seen = new Set<string>();
  const found = new Set<string>();
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (seen.has(file) || shared.test(file)) continue;
    seen.add(file);
    const text = readFileSync(file, "utf8");
    for (const [, service = "", operation = ""] of text.matchAll(call)) found.add(`${service}.${operation}`);
    for (const [, typeOnly, path = ""] of text.matchAll(/^import (type )?[^;]*? from "(\.[^"]+)";/gms)) {
      if (typeOnly === undefined) pending.push(join(dirname(file), path));
    }
  }
  return [...found].toSorted().map(parseCall);
}

function parseCall(name: string): [service: ServiceName, operation: string] {
  const [service = "", operation = ""] = name.split(".");
  return [service as ServiceName, `${operation[0]?.toUpperCase()}${operation.slice(1)}`];
}

/** Operations that any source calls, those of the services beside the types included. */
export function operationsOfAll(): [service: ServiceName, operation: string][] {
  const found = new Set<string>();
  for (const file of readdirSync(source, { recursive: true }) as string[]) {
    if (!file.endsWith(".ts") || file.endsWith(".test.ts") || file.startsWith("sdk/")) continue;
    const text = readFileSync(join(source, file), "utf8");
    for (const [, service = "", operation = ""] of text.matchAll(call)) found.add(`${service}.${operation}`);
  }
  // Asked for by the client itself.
  return [...[...found].toSorted().map(parseCall), ["sts", "GetCallerIdentity"]];
}

/** Types whose sources are there, by the names of their files. */
export function typesWithSources(): string[] {
  return readdirSync(join(source, "resources"))
    .filter(
      (name) => name.endsWith(".ts") && !/^(?:define|index|permissions|typical-times)\.ts$|\.test\.ts$/.test(name),
    )
    .map((name) => `infra.${name.replace(/\.ts$/, "").replaceAll("-", "_")}`)
    .toSorted();
}

export function permissionsByType(): Record<string, string[]> {
  return Object.fromEntries(
    typesWithSources().map((type) => {
      const all = operationsOf(type).flatMap(([service, operation]) => permissionsOf(service, operation));
      return [type, [...new Set(all)].toSorted()];
    }),
  );
}

/** Writes resources/permissions.ts from the sources: `npm run permissions -w providers/aws`. A test holds them equal. */
if (import.meta.main) {
  const path = join(source, "resources/permissions.ts");
  if (!existsSync(path)) throw new Error(`"${path}" is not there`);
  const body = JSON.stringify(permissionsByType(), null, 2).replaceAll(/"(\w+)":/g, "$1:");
  const head =
    "/** What credentials must be allowed to do, by type. Made from the sources by `npm run permissions`. */";
  writeFileSync(path, `${head}\nexport const permissions: Readonly<Record<string, readonly string[]>> = ${body};\n`);
}
