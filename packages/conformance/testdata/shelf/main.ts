import { closeSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { serve } from "@wfctl/plugin-sdk";
import { defect, shelfProvider } from "./provider.ts";
import { spoilServices } from "./spoil-services.ts";

const sockets = process.env["PLUGIN_UNIX_SOCKET_DIR"] ?? "";

/** Defects of the process itself; those of the drivers are in the provider, those of the wire in spoil-services. */
const beforeServing: Record<string, () => void> = {
  "no-cookie-check": () => (process.env["WORKFLOW_PLUGIN"] = "workflow-external-plugin-v1"),
  "dies-of-sigint": () => process.on("SIGINT", () => process.exit(2)),
  banner: () => writeSync(1, "Shelf, a plugin\n"),
  chatty: () => setInterval(() => writeSync(1, "still here\n"), 20),
  "long-line": () => setTimeout(() => writeSync(1, `${"x".repeat(70_000)}\n`), 20),
  "odd-json-log": () => process.stderr.write('{"@level": 3, "@message": "hello"}\n'),
  orphan: () => Object.defineProperty(process, "ppid", { value: 1 }),
  "honours-leftovers": () => process.env["PLUGIN_MULTIPLEX_GRPC"] === "true" && process.exit(3),
  "own-directory": () => delete process.env["PLUGIN_UNIX_SOCKET_DIR"],
  "one-at-a-time"() {
    const lock = join(sockets, "lock");
    closeSync(openSync(lock, "wx"));
    process.on("exit", () => rmSync(lock));
  },
};

const afterServing: Record<string, () => void> = {
  "ignores-sigterm"() {
    process.removeAllListeners("SIGTERM");
    process.on("SIGTERM", () => {});
  },
  "leaves-socket"() {
    const [own = ""] = readdirSync(sockets).filter((name) => name.startsWith(`wfctl-${process.pid}-`));
    process.on("exit", () => writeFileSync(join(sockets, own), ""));
  },
};

beforeServing[defect]?.();
spoilServices(defect);
await serve(shelfProvider);
afterServing[defect]?.();
