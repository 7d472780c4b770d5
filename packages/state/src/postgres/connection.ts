import { setTimeout as sleep } from "node:timers/promises";
import { WfctlError } from "@wfctl/model";
import type { Client } from "pg";
import type { PostgresOptions } from "./options.ts";

/** One connection, made when it is needed and made anew when it broke. One user at a time, in the order of the calls. */
export interface Connection {
  /**
   * Lends the connection. What throws because the connection broke is done again on a new one, within bounds: `work` must
   * be such that doing it twice is as doing it once. Errors of the server are thrown as `STORE_UNAVAILABLE`.
   */
  use<T>(work: (client: Client) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const attempts = 5;

export function createConnection(options: PostgresOptions, doing: string): Connection {
  const { delayMs = 200 } = options;
  let client: Promise<Client> | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  const drop = async (): Promise<void> => {
    const old = client;
    client = undefined;
    await old?.then((found) => found.end()).catch(() => undefined);
  };
  const run = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    let cause: unknown;
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      if (attempt > 0) await sleep(delayMs * 2 ** (attempt - 1) * (0.5 + Math.random()));
      try {
        client ??= connect(options);
        return await work(await client);
      } catch (error) {
        if (error instanceof WfctlError) throw error;
        cause = error;
        void drop();
        if (!isPassing(error)) break;
      }
    }
    throw toStoreError(cause, doing);
  };
  return {
    use(work) {
      const result = turn.then(() => run(work));
      turn = result.catch(() => undefined);
      return result;
    },
    async close() {
      await turn;
      await drop();
    },
  };
}

async function connect({ dsn, timeoutMs = 15_000 }: PostgresOptions): Promise<Client> {
  const { Client: PgClient } = (await import("pg")).default;
  const client = new PgClient({
    connectionString: dsn,
    connectionTimeoutMillis: timeoutMs,
    // The server ends a statement that waits in vain; the client gives up on a server that is silent.
    statement_timeout: timeoutMs,
    query_timeout: timeoutMs + 1000,
    keepAlive: true,
    application_name: "wfctl",
  });
  // A connection that breaks while it is idle shows at its next use.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  return client;
}

/** Errors of the server that another try may not meet: it stops, starts, is full, or two statements waited for each other. */
const passingStates = /^(08|57P0[123]|53300|40001|40P01|57014|25P03)/;

function isPassing(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  // Without a state of SQL it is no answer of the server: the connection failed.
  return typeof code !== "string" || !/^[0-9A-Z]{5}$/.test(code) || passingStates.test(code);
}

const hints: Readonly<Record<string, string>> = {
  "28": "Check user and password of the dsn",
  "3D": "Make the database first; wfctl makes its tables, not the database",
  "42": "The user must be allowed to make tables in its schema, and to read and write those of wfctl",
};

/** What to do about a server that is not reached. */
const reachHints: Readonly<Record<string, string>> = {
  ENOTFOUND: "Check the host of the dsn: its name is not known here",
  EAI_AGAIN: "Check the host of the dsn: its name cannot be looked up now",
  ECONNREFUSED: "Check host and port of the dsn, and that the server runs and listens there",
  ENOENT: "Check the host of the dsn: there is no socket of a server at that path",
};

function toStoreError(thrown: unknown, doing: string): WfctlError {
  const { code, message } = thrown as { code?: unknown; message?: unknown };
  const text = typeof message === "string" && message !== "" ? message : String(code ?? thrown);
  const known = typeof code === "string" ? (reachHints[code] ?? hints[code.slice(0, 2)]) : undefined;
  const hint =
    known ?? "Check the dsn: host, port, database, user, password and sslmode; and that the server can be reached";
  return new WfctlError("STORE_UNAVAILABLE", `${doing} failed: ${text}`, { hint, cause: thrown });
}

/** Why no database can be meant by the dsn, and what to do; undefined where one can. Holds nothing of the dsn. */
export function findDsnProblem(dsn: string): { readonly why: string; readonly hint: string } | undefined {
  // The folder of a server's socket.
  if (dsn.startsWith("/") || dsn.startsWith("socket:")) return undefined;
  const form = "postgres://USER:PASSWORD@HOST:PORT/DATABASE";
  if (!/^postgres(?:ql)?:\/\//.test(dsn)) {
    return { why: `is no address of a Postgres database, which begins with "postgres://"`, hint: `Write ${form}` };
  }
  // Without a host where the query names one.
  if (URL.canParse(dsn.replace("@/", "@host/"))) return undefined;
  return {
    why: "cannot be read as the address of a Postgres database",
    hint: `Write ${form}; in USER and PASSWORD write %40 for "@", %2F for "/", %3A for ":", %23 for "#" and %3F for "?"`,
  };
}

/** The dsn as people may see it: without password. */
export function describeDatabase(dsn: string): string {
  try {
    const url = new URL(dsn);
    return `postgres://${url.host}${url.pathname}`;
  } catch {
    return "a Postgres database";
  }
}
