import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import type { CallOptions, Spec } from "@wfctl/engine";
import { ProviderError, WfctlError, type JsonObject, type PluginProcess } from "@wfctl/model";
import { expect } from "vitest";

import { createPluginProvider } from "../src/index.ts";
import type { HostOptions, PluginProvider } from "../src/options.ts";

export const fixtureDir = fileURLToPath(new URL("plugins", import.meta.url));

/** A host of the fixture plugins that knows what they were asked and whether one of them still runs. */
export interface FixtureHost extends AsyncDisposable {
  readonly options: HostOptions;
  /** What plugins and host logged. */
  readonly lines: string[];
  readonly processes: PluginProcess[];
  /** What the plugins noted, one line per call. */
  calls(): string[];
  /** Process ids of what was started under this host and still runs. */
  running(): number[];
  configure(provider: string, config?: JsonObject, more?: Partial<HostOptions>): Promise<PluginProvider>;
}

export function createFixtureHost(overrides: Partial<HostOptions> = {}): FixtureHost {
  const directory = mkdtempSync(join(tmpdir(), "plugin-host-test-"));
  const file = join(directory, "calls");
  const lines: string[] = [];
  const processes: PluginProcess[] = [];
  const providers: PluginProvider[] = [];
  const options: HostOptions = {
    pluginDir: fixtureDir,
    env: { ...process.env, FIXTURE_CALLS: file },
    log: (line) => lines.push(line),
    onProcess: (started) => {
      processes.push(started);
      return Promise.resolve();
    },
    // For plugins that are slow because the machine is; tests of what is late set their own.
    timeouts: { loadCallMs: 60_000, capabilitiesMs: 60_000 },
    ...overrides,
  };
  const running = (): number[] => {
    const marked = `FIXTURE_CALLS=${file}\0`;
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.map(Number).filter((pid) => readOrEmpty(`/proc/${pid}/environ`).includes(marked));
  };
  return {
    options,
    lines,
    processes,
    running,
    calls: () => readOrEmpty(file).split("\n").filter((line) => line !== ""),
    async configure(provider, config = {}, more = {}) {
      const configured = await createPluginProvider({ ...options, ...more, module: "module", provider, config });
      providers.push(configured);
      return configured;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(providers.map((provider) => provider.shutdown()));
      await expectEventually(() => running().length === 0, "a plugin process is left behind");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Waits for a condition, at most a minute. */
export async function expectEventually(condition: () => boolean, otherwise: string): Promise<void> {
  const until = performance.now() + 60_000;
  while (!condition()) {
    expect(performance.now() < until, otherwise).toBe(true);
    await sleep(5);
  }
}

export async function refusalOf(action: Promise<unknown>): Promise<WfctlError> {
  const error = await action.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof WfctlError) return error;
  throw error ?? new Error("Nothing was refused");
}

export async function failureOf(action: Promise<unknown>): Promise<ProviderError> {
  const error = await action.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ProviderError) return error;
  throw error ?? new Error("Nothing failed");
}

export const options: CallOptions = { run: "run-1", timeoutMs: 120_000 };

export function spec(name: string, config: JsonObject = {}): Spec {
  return { name, type: "infra.database", config, dependsOn: [] };
}

export function ref(name: string, providerId = "") {
  return { name, type: "infra.database", providerId };
}
