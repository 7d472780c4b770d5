import { createHash } from "node:crypto";
import type { JsonObject } from "@wfctl/model";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { expectQuiet } from "@wfctl/testkit/drive-expectations";
import { drive, type Driver, type Plugin } from "@wfctl/testkit/drive";
import type { ServiceName } from "../../src/client.ts";
import { permissionOf } from "../../src/permissions.ts";
import { permissions } from "../../src/resources/permissions.ts";
import { motoProblem, startMoto } from "./moto.ts";
import { startPlugin } from "./plugin.ts";
import { startProxy, type Proxy } from "./proxy.ts";
import { unkept } from "./unkept.ts";

const problem = motoProblem();

/** For `describe.skipIf`: true where moto cannot run on this machine. Vitest then names what is skipped, and this why. */
export const isMotoMissing = problem !== undefined;
if (isMotoMissing) console.warn(`The tests of the AWS provider are skipped: ${problem}`);

const keys = { plugin: "AKIAPLUGINPLUGINPLUG", test: "AKIATESTTESTTESTTEST" };
const secret = "secret+of/the+tests";
const installTimeoutMs = 600_000;

export interface AwsHarness {
  readonly proxy: Proxy;
  readonly plugin: Plugin;
  readonly accountId: string;
  /** Configuration of the SDK's own clients: what looks behind the provider's back. */
  readonly sdk: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  driver(type: string): Driver;
  /** Ends the plugin as a crash does and starts another with the same configuration. */
  restart(): Promise<void>;
  /** Another plugin with its own configuration; ended after the test. */
  start(config: JsonObject, environment?: Record<string, string>): Promise<Plugin>;
  /** The same with this configuration alone. */
  startAlone(config: JsonObject, environment?: Record<string, string>): Promise<Plugin>;
  readonly config: JsonObject;
}

/**
 * An AWS account of its own on moto, behind the proxy, and the plugin that reaches it. To be called inside a `describe.skipIf(isMotoMissing)`.
 * After each test no request may have broken the services' models.
 */
export function useAws(config: JsonObject = {}): AwsHarness {
  let proxy: Proxy;
  let direct: Proxy;
  let plugin: Plugin;
  let own: JsonObject;
  const others: Plugin[] = [];
  const driven = new Set<string>();
  // Each test file has its own account: files share a server.
  const accountId = String(
    BigInt(
      `0x${createHash("sha256")
        .update(expect.getState().testPath ?? "")
        .digest("hex")
        .slice(0, 12)}`,
    ) %
      10n ** 12n,
  ).padStart(12, "1");

  beforeAll(async () => {
    const target = await startMoto();
    const secrets = new Map(Object.values(keys).map((key) => [key, secret]));
    [proxy, direct] = await Promise.all([
      startProxy({ target, accountId, secrets }),
      startProxy({ target, accountId, secrets }),
    ]);
    own = {
      region: "us-east-1",
      access_key_id: keys.plugin,
      secret_access_key: secret,
      endpoint: proxy.url,
      limit_rates: false,
      ...config,
    };
    plugin = await startPlugin(own);
  }, installTimeoutMs);
  beforeEach(() => proxy.reset());
  afterEach(async () => {
    await Promise.all(others.splice(0).map((other) => other.kill()));
    expect(proxy.violations, "requests that the service's model does not allow").toEqual([]);
    expect(unkept(proxy), "what a write said and the next read did not").toEqual([]);
    if (isTestOfType()) expect(unlisted(proxy, driven), "calls whose permissions the type does not list").toEqual([]);
  });
  afterAll(async () => {
    await plugin?.kill();
    await Promise.all([proxy?.close(), direct?.close()]);
  });

  return {
    accountId,
    get proxy() {
      return proxy;
    },
    get plugin() {
      return plugin;
    },
    get config() {
      return own;
    },
    get sdk() {
      const credentials = { accessKeyId: keys.test, secretAccessKey: secret };
      return { endpoint: direct.url, region: "us-east-1", credentials };
    },
    driver(type) {
      driven.add(type);
      return drive(() => plugin, type);
    },
    async restart() {
      await plugin.kill();
      plugin = await startPlugin(own);
    },
    start(other, environment) {
      return this.startAlone({ ...own, ...other }, environment);
    },
    async startAlone(alone, environment) {
      const started = await startPlugin(alone, environment);
      others.push(started);
      return started;
    },
  };
}

/** The tests of a type drive that type, and others by `driver` alone. */
function isTestOfType(): boolean {
  return expect.getState().testPath?.includes("/src/resources/") === true;
}

const serviceOf: Readonly<Record<string, ServiceName>> = { "application-autoscaling": "autoscaling" };

/** Calls that the provider made, whose own permission none of these types lists. */
function unlisted({ calls }: Proxy, types: ReadonlySet<string>): string[] {
  // Who one is may be asked without a permission.
  const listed = new Set(["sts:GetCallerIdentity", ...[...types].flatMap((type) => permissions[type] ?? [])]);
  const needed = calls.flatMap(({ operation: name }) => {
    const [service = "", operation = ""] = name.split(".");
    return permissionOf(serviceOf[service] ?? (service as ServiceName), operation).split(", ");
  });
  return [...new Set(needed)].filter((permission) => !listed.has(permission)).toSorted();
}

/**
 * A create that fails at its main object leaves parts: these are seen under its id, made whole by an update, and taken
 * away by a delete. `operation` is the call that makes the main object.
 */
export async function expectMended(
  { proxy }: AwsHarness,
  driver: Driver,
  { operation, name, config }: { operation: string; name: string; config: JsonObject },
): Promise<void> {
  const fail = async (token: string): Promise<string> => {
    proxy.fail({ operation, times: 9, fault: { error: "AccessDenied" } });
    const failure: unknown = await driver.create(name, config, { token }).catch((error: unknown) => error);
    proxy.reset();
    // What was made does not let it promise that nothing was.
    expect(failure).toMatchObject({ class: "unknown", partialId: expect.stringMatching(/./) });
    return (failure as { partialId: string }).partialId;
  };
  const id = await fail("t-mended");
  const seen = await driver.read(name, id);
  expect(seen).toMatchObject({ providerId: id, name, owner: "lineage/test" });
  expect(await driver.lookup(name, "t-mended")).toMatchObject({ providerId: id });
  expect(await driver.list()).toContainEqual(expect.objectContaining({ providerId: id, name }));
  const diff = await driver.diff(name, config, seen!);
  expect(diff).toMatchObject({ needsUpdate: true, needsReplace: false });
  await driver.update(name, id, config);
  await expectQuiet(driver, name, config, id);
  await driver.delete(name, id);
  expect(await driver.read(name, id)).toBeUndefined();
  await driver.delete(name, await fail("t-removed"));
  expect(await driver.read(name, id)).toBeUndefined();
  expect(await driver.lookup(name, "t-removed")).toBeUndefined();
}

/** More writes than any create makes. */
const maxPieces = 200;

/**
 * Repeats a create until it ends well, while each attempt loses the answer of its first call that changes something, so
 * that every such call is once the last of a process that dies. How many there were.
 */
export async function createInPieces(cloud: AwsHarness, create: () => Promise<unknown>): Promise<number> {
  for (let attempt = 0; attempt < maxPieces; attempt += 1) {
    cloud.proxy.reset();
    cloud.proxy.fail({ operation: /^[\w-]+\.(?!Describe|Get|List|Head|Filter)/, fault: "lose-reply" });
    const failure = await create().then(
      () => undefined,
      (error: unknown) => error,
    );
    const { violations } = cloud.proxy;
    expect(violations).toEqual([]);
    if (failure === undefined) {
      cloud.proxy.reset();
      return attempt;
    }
    expect(failure).toMatchObject({ class: "transient" });
  }
  throw new Error(`The create did not end after ${maxPieces} attempts`);
}
