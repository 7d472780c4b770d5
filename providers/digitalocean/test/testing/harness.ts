import {
  createDigitalOceanService,
  startDigitalOcean,
  type Account,
  type DigitalOceanEmulator,
} from "@wfctl/emulator-digitalocean";
import type { Json, JsonObject } from "@wfctl/plugin-sdk";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { drive, type Driver, type Plugin } from "@wfctl/testkit/drive";
import { startPlugin } from "./plugin.ts";

/** Minutes of the cloud pass in a fraction of a second. */
const rate = 2000;

// oxlint-disable-next-line typescript/no-explicit-any -- tests read any shape
export type Answer = { readonly status: number; readonly body: any };

export interface DigitalOceanHarness {
  readonly emulator: DigitalOceanEmulator;
  readonly plugin: Plugin;
  readonly config: JsonObject;
  /** What the account holds, behind the API. */
  readonly account: Account;
  driver(type: string): Driver;
  /** The API, without the provider. `path` is below /v2. */
  raw(method: string, path: string, body?: JsonObject): Promise<Answer>;
  /** Ends the plugin as a crash does and starts another with the same configuration. */
  restart(): Promise<void>;
  /** Another plugin with its own configuration; ended after the test. */
  start(config: JsonObject, environment?: Record<string, string>): Promise<Plugin>;
  /** How many requests of this operation came since the test began. */
  count(operation: string): number;
}

/**
 * An account of its own on an emulator of its own, and the plugin that reaches it. After each test no request may have
 * said what the API's description does not know, and no answer may have broken it.
 */
export function useDigitalOcean(options: { config?: JsonObject; spaces?: boolean } = {}): DigitalOceanHarness {
  const token = "dop_v1_test";
  let emulator: DigitalOceanEmulator;
  let plugin: Plugin;
  let own: JsonObject;
  let seen = 0;
  const others: Plugin[] = [];

  const raw = async (method: string, path: string, body?: JsonObject): Promise<Answer> => {
    const response = await fetch(`${emulator.url}/v2/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : (JSON.parse(text) as Json) };
  };

  beforeAll(async () => {
    emulator = await startDigitalOcean({ service: createDigitalOceanService(), rate });
    own = { token, endpoint: emulator.url, spaces_endpoint: emulator.spacesUrl, ...options.config };
    if (options.spaces === true) {
      const { body } = await raw("POST", "spaces/keys", {
        name: "test",
        grants: [{ bucket: "", permission: "fullaccess" }],
      });
      own = { ...own, spaces_access_key: body.key.access_key, spaces_secret_key: body.key.secret_key };
    }
    plugin = await startPlugin(own);
    seen = emulator.journal.exchanges().length;
  });
  afterEach(async () => {
    await Promise.all(others.splice(0).map((other) => other.kill()));
    emulator.faults.clear();
    expect(emulator.defects(), "what the API's description does not allow").toEqual([]);
    seen = emulator.journal.exchanges().length;
  });
  afterAll(async () => {
    await plugin?.kill();
    await emulator?.close();
  });

  return {
    get emulator() {
      return emulator;
    },
    get plugin() {
      return plugin;
    },
    get config() {
      return own;
    },
    get account() {
      return emulator.account(token);
    },
    driver: (type) => drive(() => plugin, type),
    raw,
    async restart() {
      await plugin.kill();
      plugin = await startPlugin(own);
    },
    async start(other, environment) {
      const started = await startPlugin({ ...own, ...other }, environment);
      others.push(started);
      return started;
    },
    count: (operation) =>
      emulator.journal
        .exchanges()
        .slice(seen)
        .filter((exchange) => exchange.operation === operation).length,
  };
}
