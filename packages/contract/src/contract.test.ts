import { readFile } from "node:fs/promises";
import { ScalarType, type DescField, type DescFile, type DescMessage } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { handshake, pluginEnvironment } from "./handshake.ts";
import { extServiceNames, extServices, iacServiceNames, iacServices, requiredService } from "./names.ts";
import { files } from "./testing/files.ts";

/** Upstream's tables, one fact a line: `message.field tag type`, `enum.VALUE = number`, `service/rpc request -> response`. */
const published = (await readFile(new URL("../testdata/contract.txt", import.meta.url), "utf8")).trim().split("\n");

/** The same lines of what we have generated. */
function factsOf(file: DescFile): string[] {
  const pkg = file.proto.package;
  const facts: string[] = [];
  const short = (name: string): string => (name.startsWith(`${pkg}.`) ? name.slice(pkg.length + 1) : name);
  for (const message of file.messages) {
    if (message.fields.length === 0) facts.push(`${message.typeName} empty`);
    for (const field of message.fields)
      facts.push(`${message.typeName}.${field.name} ${field.number} ${typeName(field, short)}`);
  }
  for (const { typeName: name, values } of file.enums) {
    for (const value of values) facts.push(`${name}.${value.name} = ${value.number}`);
  }
  for (const service of file.services) {
    for (const rpc of service.methods) {
      const stream = rpc.methodKind === "server_streaming" ? "stream " : "";
      facts.push(
        `${service.typeName}/${rpc.name} ${short(rpc.input.typeName)} -> ${stream}${short(rpc.output.typeName)}`,
      );
    }
  }
  return facts;
}

function typeName(field: DescField, short: (name: string) => string): string {
  const scalar = (type: ScalarType): string => ScalarType[type].toLowerCase();
  const named = (desc: DescMessage | { typeName: string } | undefined): string => short(desc?.typeName ?? "");
  switch (field.fieldKind) {
    case "scalar":
      return scalar(field.scalar);
    case "enum":
      return named(field.enum);
    case "message":
      return named(field.message);
    case "list":
      return `repeated ${field.listKind === "scalar" ? scalar(field.scalar) : named(field.listKind === "enum" ? field.enum : field.message)}`;
    case "map":
      return `map<${scalar(field.mapKey)}, ${field.mapKind === "scalar" ? scalar(field.scalar) : named(field.mapKind === "enum" ? field.enum : field.message)}>`;
  }
}

describe("the reproduced contract", () => {
  test("has every message, field, tag, type, number and rpc of upstream's, and no other", () => {
    const facts = [...factsOf(files.iac), ...factsOf(files.plugin)].toSorted();
    expect(facts).toEqual(published.toSorted());
    expect(published.length).toBeGreaterThan(500);
  });

  test("has no Apply, and keeps tag 2 of FinalizeApplyResponse out of use", () => {
    const rpcs = Object.values(iacServices).flatMap((service) => service.methods.map(({ name }) => name));
    expect(rpcs).not.toContain("Apply");
    const finalize = files.iac.messages.find(({ name }) => name === "FinalizeApplyResponse");
    expect(finalize?.proto.reservedRange.map(({ start, end }) => [start, end])).toEqual([[2, 3]]);
    const reserved = files.iac.messages.filter(({ proto }) => proto.reservedRange.length > 0);
    expect(reserved.map(({ name }) => name)).toEqual(["FinalizeApplyResponse"]);
  });

  test("gives the result of a run the tags of upstream's former message, and no output keys", () => {
    expect(factsOf(files.lifecycle)).toEqual([
      "workflow.plugin.external.iac.ApplyResult.plan_id 1 string",
      "workflow.plugin.external.iac.ApplyResult.resources 2 repeated ResourceOutput",
      "workflow.plugin.external.iac.ApplyResult.errors 3 repeated ActionError",
      "workflow.plugin.external.iac.ApplyResult.initial_input_snapshot 4 map<string, string>",
      "workflow.plugin.external.iac.ApplyResult.input_drift_report 5 repeated DriftEntry",
      "workflow.plugin.external.iac.ApplyResult.replace_id_map 6 map<string, string>",
      "workflow.plugin.external.iac.ApplyResult.actions 7 repeated ActionResult",
      "workflow.plugin.external.iac.ActionResult.action_index 1 uint32",
      "workflow.plugin.external.iac.ActionResult.status 2 ActionStatus",
      "workflow.plugin.external.iac.ActionResult.error 3 string",
    ]);
  });

  test("names go-plugin's services and the health service as their peers do", () => {
    const rpcs = [files.broker, files.controller, files.stdio, files.health].flatMap((file) =>
      factsOf(file).filter((fact) => fact.includes("/")),
    );
    expect(rpcs).toEqual([
      "plugin.GRPCBroker/StartStream ConnInfo -> ConnInfo",
      "plugin.GRPCController/Shutdown Empty -> Empty",
      "plugin.GRPCStdio/StreamStdio google.protobuf.Empty -> stream StdioData",
      "grpc.health.v1.Health/Check HealthCheckRequest -> HealthCheckResponse",
      "grpc.health.v1.Health/Watch HealthCheckRequest -> stream HealthCheckResponse",
    ]);
  });
});

describe("names", () => {
  test("cover every service of their files, by full name", () => {
    const all = (file: DescFile): string[] => file.services.map((service) => service.typeName).toSorted();
    expect(Object.values(iacServiceNames).toSorted()).toEqual(all(files.iac));
    expect(Object.values(extServiceNames).toSorted()).toEqual(all(files.ext));
    for (const [key, service] of Object.entries({ ...iacServices, ...extServices })) expect(service.name).toBe(key);
    expect(requiredService).toBe("workflow.plugin.external.iac.IaCProviderRequired");
    expect(iacServiceNames.ResourceDriver).toBe("workflow.plugin.external.iac.ResourceDriver");
    expect(extServiceNames.DriverSession).toBe("wfctl.ext.v1.DriverSession");
  });

  test("of the handshake are those that go-plugin hosts and plugins compare", () => {
    expect(pluginEnvironment).toEqual({
      WORKFLOW_PLUGIN: "workflow-external-plugin-v1",
      PLUGIN_MIN_PORT: "10000",
      PLUGIN_MAX_PORT: "25000",
      PLUGIN_PROTOCOL_VERSIONS: "1",
    });
    expect([handshake.coreVersion, handshake.protocolVersion, handshake.transport]).toEqual([1, 1, "grpc"]);
  });
});
