import { existsSync } from "node:fs";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { handshake, health, plugin, goPluginBroker, openBidiCall, iac } from "@wfctl/contract";
import { expectInTime, expectThat, Problem, skipUnless, type PluginScenario, type Trial } from "../scenario.ts";
import { call, describeStatus } from "../subject/call.ts";
import { describeExit, lastWords, type RawPlugin } from "../subject/raw-plugin.ts";
import { within } from "../subject/within.ts";

const quickMs = 10_000;
/** The parent is looked for twice a second by our SDK; others may be slower. */
const orphanMs = 10_000;

/** The suite asks any plugin the same harmless question to see whether it serves. */
async function isServing(started: RawPlugin): Promise<boolean> {
  const { name } = iac.IaCProviderRequired.method;
  const ended = await call(started, name, {}, { timeoutMs: quickMs });
  return ended.ok || ended.error.answered;
}

async function withProcess(
  trial: Trial,
  extra: Readonly<Record<string, string>>,
  work: (started: RawPlugin) => Promise<void>,
): Promise<void> {
  const started = await trial.subject.start(extra);
  try {
    await work(started);
  } finally {
    await started.end();
  }
}

/** Ends the process by `request` and expects it to be gone in time. */
async function expectEnd(started: RawPlugin, how: string): Promise<void> {
  const inTime = await within(started.exited, handshake.exitTimeoutMs);
  expectInTime(inTime, `The plugin still runs ${handshake.exitTimeoutMs} ms after ${how}`);
}

export const processScenarios: readonly PluginScenario[] = [
  {
    id: "cookie",
    title: "without the magic cookie the process ends with an error, says why on stderr and prints no handshake",
    contract: "required",
    strict: "required",
    scope: "plugin",
    async run({ subject }) {
      const { [handshake.cookieName]: _cookie, ...env } = subject.environment();
      for (const value of [undefined, "wrong"]) {
        const started = subject.startUnchecked(value === undefined ? env : { ...env, [handshake.cookieName]: value });
        const which = value === undefined ? "without the cookie" : "with a wrong cookie";
        try {
          await within(Promise.race([started.exited, started.firstLine]), handshake.startTimeoutMs);
          expectThat(
            !started.stdout.some((line) => /^\d+\|\d+\|/.test(line)),
            `Started ${which}, the plugin printed a handshake`,
          );
          expectInTime(
            await within(started.exited, quickMs),
            `Started ${which}, the plugin still runs after ${quickMs} ms`,
          );
          expectThat(
            started.exit?.code !== 0,
            `Started ${which}, the plugin exited with code 0; it should be an error`,
          );
          expectThat(started.stderr.length > 0, `Started ${which}, the plugin said nothing on standard error`);
        } finally {
          started.kill();
        }
      }
    },
  },
  {
    id: "handshake",
    title: "the first line of standard output is the handshake, and who connects is answered",
    contract: "required",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      await withProcess(trial, {}, async (started) => {
        const { address } = started;
        const isLocal = address.network === "unix" || /^(127\.0\.0\.1|localhost|\[::1\])$/.test(address.host);
        expectThat(isLocal, `The plugin listens at ${started.line}; it should listen on this machine only`);
        expectThat(await isServing(started), `Nobody answers where the handshake ${started.line} points to`);
      });
    },
  },
  {
    id: "two-processes",
    title: "two processes of the plugin serve side by side",
    contract: "required",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      await withProcess(trial, {}, (first) =>
        withProcess(trial, {}, async (second) => {
          expectThat(first.line !== second.line, `Two processes both printed ${first.line}`);
          expectThat((await isServing(first)) && (await isServing(second)), "One of two processes does not answer");
        }),
      );
    },
  },
  {
    id: "socket-directory",
    title: "the socket is made in PLUGIN_UNIX_SOCKET_DIR",
    contract: "advised",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      await withProcess(trial, {}, async ({ address, line }) => {
        skipUnless(address.network === "unix", "the plugin listens on TCP");
        const folder = trial.subject.environment()["PLUGIN_UNIX_SOCKET_DIR"] as string;
        expectThat(address.path.startsWith(`${folder}/`), `The socket of ${line} is not in ${folder}`);
      });
    },
  },
  {
    id: "leftover-environment",
    title: "variables of other go-plugin hosts do not make the plugin unreachable",
    contract: "off",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      for (const [name, value] of [
        ["PLUGIN_MULTIPLEX_GRPC", "true"],
        ["PLUGIN_CLIENT_CERT", "-----BEGIN CERTIFICATE-----"],
      ] as const) {
        await withProcess(trial, { [name]: value }, async (started) => {
          expectThat(
            await isServing(started),
            `With ${name} in its environment, the plugin does not answer plain calls`,
          );
        });
      }
    },
  },
  {
    id: "sigint",
    title: "SIGINT, which a terminal sends to everyone, does not end the plugin",
    contract: "required",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      await withProcess(trial, {}, async (started) => {
        // Plugins of Go look after signals from their handshake on, but not before their first answer.
        expectThat(await isServing(started), "The plugin does not answer");
        started.signal("SIGINT");
        started.signal("SIGINT");
        const ended = await within(started.exited, 300);
        expectThat(
          !ended,
          `On SIGINT the plugin ${describeExit(started.exit ?? { code: 0, signal: null })}; the host ends it`,
        );
        expectThat(await isServing(started), "After SIGINT the plugin does not answer");
      });
    },
  },
  {
    id: "sigterm",
    title: "SIGTERM ends the plugin within two seconds",
    contract: "required",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      await withProcess(trial, {}, async (started) => {
        started.signal("SIGTERM");
        await expectEnd(started, "SIGTERM");
      });
    },
  },
  {
    id: "shutdown",
    title: "GRPCController.Shutdown ends the plugin with code 0 within two seconds, open streams or not",
    contract: "advised",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      await withProcess(trial, {}, async (started) => {
        const broker = openBidiCall(started.client, goPluginBroker.GRPCBroker.method.startStream);
        void broker.replies.next().catch(() => {});
        expectThat(await isServing(started), "The plugin does not answer");
        const exited = started.exited;
        void started.end();
        const { code, signal } = await exited;
        expectInTime(signal === null, `Shutdown did not end the plugin within ${handshake.exitTimeoutMs} ms`);
        expectThat(code === 0, `After Shutdown the plugin exited with code ${code}; it should be 0`);
      });
    },
  },
  {
    id: "socket-removed",
    title: "after Shutdown the socket is gone",
    contract: "advised",
    strict: "required",
    scope: "plugin",
    async run(trial) {
      const started = await trial.subject.start();
      await started.end();
      const { address } = started;
      skipUnless(address.network === "unix", "the plugin listens on TCP");
      expectInTime(started.exit?.signal == null, "The plugin had to be killed, so its socket stayed");
      expectThat(!existsSync(address.path), `The socket ${address.path} is still there after Shutdown`);
    },
  },
  {
    id: "orphan",
    title: "when its host is killed, the plugin ends by itself",
    contract: "off",
    strict: "required",
    scope: "plugin",
    async run({ subject }) {
      const host = startHost(subject.installed.executable, subject.installed.directory, subject.environment());
      let pid: number | undefined;
      try {
        pid = await host.pluginPid;
        host.kill();
        const gone = await within(host.closed, orphanMs);
        expectInTime(gone, `The plugin still runs ${orphanMs} ms after its host was killed`);
      } finally {
        host.kill();
        if (pid !== undefined) killQuietly(pid);
      }
    },
  },
  {
    id: "health",
    title: "the health service reports plugin as serving",
    contract: "advised",
    strict: "required",
    scope: "plugin",
    async run({ subject }) {
      const { plugin: started } = await subject.session();
      const ended = await call(started, health.Health.method.check, { service: handshake.healthService });
      if (!ended.ok) throw new Problem(`Health/Check of "plugin" failed with ${describeStatus(ended)}`);
      const serving = health.HealthCheckResponse_ServingStatus.SERVING;
      expectThat(
        ended.response.status === serving,
        `Health/Check of "plugin" answered ${ended.response.status}, expected 1 (SERVING)`,
      );
    },
  },
  {
    id: "get-manifest",
    title: "GetManifest gives name, version, author and description, equal to plugin.json",
    contract: "advised",
    strict: "required",
    scope: "plugin",
    async run({ subject }) {
      const { plugin: started } = await subject.session();
      const ended = await call(started, plugin.PluginService.method.getManifest, {});
      if (!ended.ok) throw new Problem(`GetManifest failed with ${describeStatus(ended)}`);
      const { manifest } = subject.installed.parsed;
      for (const key of ["name", "version", "author", "description"] as const) {
        const found = ended.response[key].replace(key === "version" ? /^v/ : /$^/, "");
        const expected = (manifest?.[key] ?? "").replace(key === "version" ? /^v/ : /$^/, "");
        // 0.0.0 in a file says that the version is set when the plugin is built.
        if (key === "version" && expected === "0.0.0" && /^\d+\.\d+\.\d+$/.test(found) && found !== expected) continue;
        expectThat(found === expected, `GetManifest says ${key} "${found}", plugin.json says "${expected}"`);
      }
    },
  },
];

/** A host that does nothing but start the plugin and be killed. */
function startHost(executable: string, directory: string, env: Readonly<Record<string, string>>) {
  const program = `
    const { spawn } = require("node:child_process");
    const child = spawn(process.argv[1], [], { cwd: process.argv[2], stdio: ["ignore", "pipe", "inherit"] });
    child.on("error", (error) => { console.error(error.message); process.exit(1); });
    child.stdout.once("data", () => process.stdout.write(child.pid + "\\n"));
    child.on("exit", () => process.exit(1));
    setInterval(() => {}, 1 << 30);`;
  const host = spawn(process.execPath, ["-e", program, executable, directory], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stderr: string[] = [];
  // The plugin holds the host's standard error open for as long as it lives.
  createInterface({ input: host.stderr }).on("line", (line) => stderr.push(line));
  const closed = new Promise<void>((resolve) => host.stderr.once("close", () => resolve()));
  const pluginPid = new Promise<number>((resolve, reject) => {
    createInterface({ input: host.stdout }).once("line", (line) => resolve(Number(line)));
    host.once("exit", () => reject(new Problem(`The plugin did not start under a host${lastWords(stderr)}`)));
    host.once("error", reject);
  });
  return { pluginPid, closed, kill: () => void host.kill("SIGKILL") };
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone, as it should.
  }
}
