import { spawn } from "node:child_process";
import type { SecretStore } from "../secret-store.ts";
import { storeError } from "../store-error.ts";

/** How long the keychain may take, in milliseconds; it may ask its owner to unlock it. */
const timeoutMs = 30_000;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
}

/**
 * The keychain of the machine: `security` on macOS, `secret-tool` (libsecret) elsewhere. Values go in over standard input
 * where the tool takes them there; on macOS they pass through its interactive mode, so that no process list shows them.
 */
export function createKeychainStore(service: string, platform: NodeJS.Platform = process.platform): SecretStore {
  const mac = platform === "darwin";
  const tool = mac ? "security" : "secret-tool";
  const label = `keychain "${service}"`;
  const run = (action: string, args: readonly string[], input?: string): Promise<Ended> => {
    const child = spawn(tool, args, { stdio: ["pipe", "pipe", "ignore"], timeout: timeoutMs });
    return new Promise((resolve, reject) => {
      let stdout = "";
      child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
      child.stdin.on("error", () => undefined);
      child.once("error", (cause) =>
        reject(
          storeError(label, action, `"${tool}" cannot be started`, `Install ${tool}, or use another store`, cause),
        ),
      );
      child.once("close", (code) => resolve({ code, stdout }));
      child.stdin.end(input ?? "");
    });
  };
  const refuse = (action: string, { code }: Ended): void => {
    if (code !== 0) {
      throw storeError(
        label,
        action,
        `"${tool}" ended with ${code ?? "a timeout"}`,
        "Unlock the keychain and try again",
      );
    }
  };
  const attributes = (name: string): string[] => ["service", service, "account", name];
  return {
    label,
    readable: true,
    async get(name) {
      const action = `read "${name}"`;
      const ended = mac
        ? await run(action, ["find-generic-password", "-s", service, "-a", name, "-w"])
        : await run(action, ["lookup", ...attributes(name)]);
      if (ended.code !== 0) return undefined;
      return mac ? ended.stdout.replace(/\n$/, "") : ended.stdout;
    },
    async set(name, value) {
      const action = `write "${name}"`;
      const ended = mac
        ? await run(
            action,
            ["-i"],
            `add-generic-password -U -s ${quote(service)} -a ${quote(name)} -X ${Buffer.from(value).toString("hex")}\n`,
          )
        : await run(action, ["store", "--label", `${service} ${name}`, ...attributes(name)], value);
      refuse(action, ended);
    },
    async delete(name) {
      const action = `delete "${name}"`;
      if (mac) await run(action, ["delete-generic-password", "-s", service, "-a", name]);
      else await run(action, ["clear", ...attributes(name)]);
    },
  };
}

function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
