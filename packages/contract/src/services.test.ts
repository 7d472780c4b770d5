import { describe, expect, test } from "vitest";
import { ext, goPluginBroker, goPluginStdio, iac } from "./index.ts";
import { methodPath, toGrpcService } from "./services.ts";

describe("service definitions", () => {
  test("name each rpc with its full path and its streaming kind", () => {
    const driver = toGrpcService(iac.ResourceDriver);
    expect(Object.keys(driver)).toEqual([
      "Create",
      "Read",
      "Update",
      "Delete",
      "Diff",
      "Scale",
      "HealthCheck",
      "SensitiveKeys",
      "Troubleshoot",
    ]);
    expect(driver["Create"]?.path).toBe("/workflow.plugin.external.iac.ResourceDriver/Create");
    expect(methodPath(ext.DriverSession.method.run)).toBe("/wfctl.ext.v1.DriverSession/Run");
    const kinds = (name: "call" | "stdio" | "broker") => {
      const definition = {
        call: driver["Create"],
        stdio: toGrpcService(goPluginStdio.GRPCStdio)["StreamStdio"],
        broker: toGrpcService(goPluginBroker.GRPCBroker)["StartStream"],
      }[name];
      return [definition?.requestStream, definition?.responseStream];
    };
    expect(kinds("call")).toEqual([false, false]);
    expect(kinds("stdio")).toEqual([false, true]);
    expect(kinds("broker")).toEqual([true, true]);
  });
});
