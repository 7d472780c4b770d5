import type { StackConfig } from "@wfctl/config";
import type { Provider } from "@wfctl/engine";
import type { DesiredResource } from "@wfctl/model";
import { expect, test } from "vitest";
import { createWanted } from "./wanted-values.ts";

const call = { run: "run-1", signal: new AbortController().signal };

function wantedOf(name: string, config: DesiredResource["config"], rest: Partial<DesiredResource> = {}) {
  const resource = { name, type: "infra.item", config, ...rest };
  const stack = { resources: [resource], secretVariables: { "var.key": "k" } } as unknown as StackConfig;
  return createWanted(stack, new Map(), { env: { REGION: "eu" } })(name);
}

test("what has a value is that value, what has none is as it is written, and what may be secret is marked", () => {
  const wanted = wantedOf("a", {
    plain: 1,
    region: { $expr: [{ env: "REGION" }] },
    key: { $expr: [{ env: "var.key" }] },
    password: "x",
    open: { deep: { $expr: [{ resource: "b", path: "host" }] } },
  });
  expect(wanted?.at("/plain")).toEqual({ value: 1, sensitive: false });
  expect(wanted?.at("/region")).toEqual({ value: "eu", sensitive: true });
  expect(wanted?.at("/key")).toMatchObject({ sensitive: true });
  expect(wanted?.at("/password")).toMatchObject({ sensitive: true });
  expect(wanted?.at("/open")).toEqual({
    value: { deep: { $expr: [{ resource: "b", path: "host" }] } },
    sensitive: false,
  });
  expect(wanted?.at("/nothing")).toEqual({ sensitive: false });
});

test("what a size adds counts where the stack file does not say otherwise, and other sizes add nothing", async () => {
  const asked: string[] = [];
  const provider = {
    resolveSizing: async (_: string, size: string) => {
      asked.push(size);
      return { instanceType: "t-1", specs: { memory: 1, cpu: 2 } };
    },
  } as unknown as Provider;
  const tier = await wantedOf("a", { cpu: 4 }, { size: "s" })?.sized(provider, call);
  expect(["/instance_type", "/memory", "/cpu"].map((pointer) => tier?.at(pointer).value)).toEqual(["t-1", 1, 4]);
  const own = await wantedOf("a", {}, { size: "db-s-1vcpu" })?.sized(provider, call);
  expect([own?.at("/instance_type").value, asked]).toEqual([undefined, ["s"]]);
});
