import type { StackConfig } from "@wfctl/config";
import { expect, test } from "vitest";
import { locateState } from "./locate-state.ts";

function stack(state?: StackConfig["state"]): StackConfig {
  return {
    name: "shop",
    environment: "prod",
    environments: ["prod"],
    resources: [],
    providers: [],
    ...(state === undefined ? {} : { state }),
    moved: [],
    secrets: { declared: [] },
    variables: [],
    secretVariables: {},
    autoBootstrap: true,
    files: ["/srv/shop/config/infra.yaml"],
    locate: () => ({ file: "infra.yaml", line: 3 }),
  };
}

const at = { cwd: "/srv/shop", env: { STATE_DIR: "/mnt/state" } };
const module = (config: Record<string, never>) => ({
  name: "records",
  backend: String(config["backend"] ?? "filesystem"),
  config,
});

test.each([
  [undefined, "/srv/shop/config/.wfctl/state/shop.prod.db", []],
  [{ backend: "filesystem" }, "/srv/shop/config/.wfctl/state/shop.prod.db", ["/var/lib/workflow/iac-state"]],
  [{ directory: "./.state" }, "/srv/shop/config/.state/shop.prod.db", ["/srv/shop/config/.state", "/srv/shop/.state"]],
  [{ directory: "/abs" }, "/abs/shop.prod.db", ["/abs"]],
  [{ directory: { $expr: [{ env: "STATE_DIR" }] } }, "/mnt/state/shop.prod.db", ["/mnt/state"]],
  [{ backend: "sqlite", path: "../here.db" }, "/srv/shop/here.db", []],
  [{ backend: "sqlite" }, "/srv/shop/config/.wfctl/state/shop.prod.db", []],
])("with %j the state is %s", (config, path, foreign) => {
  const located = locateState(stack(config === undefined ? undefined : module(config as never)), at);
  expect(located.path).toBe(path);
  expect(located.foreignDirectories).toEqual(foreign);
});

test("a variable that is not set is named", () => {
  const call = () => locateState(stack(module({ directory: { $expr: [{ env: "NOPE" }] } } as never)), at);
  expect(call).toThrow(expect.objectContaining({ code: "REFERENCE_UNRESOLVED", hint: "Set NOPE and run again" }));
});
