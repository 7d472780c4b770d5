import type { StackConfig } from "@wfctl/config";
import type { WfctlError } from "@wfctl/model";
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
    imports: [],
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
])("with %j the state is %s", async (config, path, foreign) => {
  const located = await locateState(stack(config === undefined ? undefined : module(config as never)), at);
  expect(located.file?.path).toBe(path);
  expect(located.shared).toBe(false);
  expect(located.foreignDirectories).toEqual(foreign);
});

test("a variable that is not set is named", async () => {
  const call = () => locateState(stack(module({ directory: { $expr: [{ env: "NOPE" }] } } as never)), at);
  await expect(call).rejects.toThrow(
    expect.objectContaining({ code: "REFERENCE_UNRESOLVED", hint: "Set NOPE and run again" }),
  );
});

const s3 = { backend: "s3", bucket: "states", region: "eu-west-1", accessKey: "id", secretKey: "secret" };
const azure = {
  backend: "azure_blob",
  account_url: "https://a.blob.core.windows.net",
  account_name: "a",
  container: "c",
};

test.each([
  [s3, "s3://states/iac-state/shop/prod/"],
  [{ ...s3, prefix: "team" }, "s3://states/team/shop/prod/"],
  [{ ...s3, backend: "spaces", region: "fra1" }, "s3://states/iac-state/shop/prod/"],
  [{ ...azure, account_key: "a2V5" }, "https://a.blob.core.windows.net/c/iac-state/shop/prod/"],
  [{ backend: "postgres", dsn: "postgres://me:hidden@db/app" }, "postgres://db/app#shop.prod"],
  [{ backend: "postgres", connection_string: "postgres://db/app" }, "postgres://db/app#shop.prod"],
])("with %j the state is shared, in %s", async (config, location) => {
  const located = await locateState(stack(module(config as never)), at);
  expect(located).toMatchObject({ shared: true, backend: { location }, foreignDirectories: [] });
  expect(located.file).toBeUndefined();
  expect(located.emergencyBase).toBe("/srv/shop/config/.wfctl/state/shop.prod.db");
});

test.each([
  [{ ...s3, bucket: "" }, "config.bucket is missing"],
  [{ ...s3, bucket: 5 }, "config.bucket is 5, expected a text"],
  [{ ...s3, region: "" }, "its region is not given"],
  [{ ...s3, secretKey: "" }, "one of config.accessKey and config.secretKey is missing"],
  [{ ...s3, backend: "spaces", region: "" }, "config.region is missing"],
  [{ backend: "spaces", bucket: "states", region: "fra1" }, "one of config.accessKey and config.secretKey is missing"],
  [azure, "config.account_key is missing"],
  [{ backend: "postgres" }, "config.dsn is missing"],
  [
    { backend: "postgres", dsn: "hidden" },
    'config.dsn is no address of a Postgres database, which begins with "postgres://"',
  ],
  [{ backend: "postgres", dsn: "host=db password=hidden" }, "config.dsn is no address of a Postgres database"],
  [{ backend: "postgres", dsn: "postgres://me:hid/den@db/app" }, "config.dsn cannot be read as the address"],
  [{ ...s3, secretkey: "x" }, 'config.secretkey is no key of the backend "s3"'],
  [{ backend: "filesystem", directry: ".state" }, 'config.directry is no key of the backend "filesystem"'],
  [{ backend: "filesystem", directory: 3 }, "config.directory is no text"],
  [{ backend: "sqlite", pth: "x" }, 'config.pth is no key of the backend "sqlite"'],
  [{ backend: "gcs" }, 'the backend "gcs" of "records" is not served'],
  [{ backend: "memory" }, "keeps nothing between commands"],
])("with %j there is no state, and why", async (config, why) => {
  const call = locateState(stack(module(config as never)), at);
  const error = await call.catch((thrown: unknown) => thrown as WfctlError);
  expect(error).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining(why) });
  expect(JSON.stringify([(error as WfctlError).message, (error as WfctlError).hint])).not.toContain("hid");
});

test.each(["postgres://me:pw@/app?host=/run", "postgresql://db", "/run/postgresql app", "socket:/run?db=app"])(
  "the dsn %s may mean a database",
  async (dsn) => {
    expect(await locateState(stack(module({ backend: "postgres", dsn } as never)), at)).toMatchObject({ shared: true });
  },
);

test("of a database that is not reached the dsn is to be checked, not the disk", async () => {
  const { createServer } = await import("node:net");
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  const ask = async (dsn: string): Promise<unknown> => {
    const { backend } = await locateState(stack(module({ backend: "postgres", dsn } as never)), at);
    return backend.exists().catch((thrown: unknown) => thrown);
  };
  const silent = await ask(`postgres://me:hidden@127.0.0.1:${port}/app`);
  await new Promise((resolve) => server.close(resolve));
  expect(silent).toMatchObject({
    code: "STORE_UNAVAILABLE",
    hint: expect.stringMatching(/^Check the dsn: host, port/),
  });
  const closed = await ask("postgres://me:hidden@127.0.0.1:1/app");
  expect(closed).toMatchObject({
    code: "STORE_UNAVAILABLE",
    hint: expect.stringMatching(/^Check host and port of the dsn/),
  });
  expect((closed as WfctlError).message).not.toContain("hidden");
});

test("keys of the backend of another environment are passed over", async () => {
  const both = { ...s3, directory: ".state", path: null };
  expect(await locateState(stack(module(both as never)), at)).toMatchObject({ shared: true });
  const here = await locateState(stack(module({ ...both, backend: "filesystem" } as never)), at);
  expect(here.file?.path).toBe("/srv/shop/config/.state/shop.prod.db");
});

test("the keys of Spaces may come from its variables", async () => {
  const env = { DO_SPACES_ACCESS_KEY: "id", DO_SPACES_SECRET_KEY: "secret" };
  const config = { backend: "spaces", bucket: "states", region: "fra1" };
  expect(await locateState(stack(module(config as never)), { ...at, env })).toMatchObject({ shared: true });
});

test("a shared state wants a name for the stack, since its folder may be called otherwise elsewhere", async () => {
  const call = locateState({ ...stack(module(s3 as never)), nameIsDefault: true }, at);
  await expect(call).rejects.toMatchObject({ code: "CONFIG_INVALID", hint: expect.stringContaining("name: shop") });
});
