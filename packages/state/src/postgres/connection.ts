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

function toStoreError(thrown: unknown, doing: string): WfctlError {
  const { code, message } = thrown as { code?: unknown; message?: unknown };
  const text = typeof message === "string" && message !== "" ? message : String(code ?? thrown);
  const hint = typeof code === "string" ? hints[code.slice(0, 2)] : undefined;
  return new WfctlError("STORE_UNAVAILABLE", `${doing} failed: ${text}`, {
    ...(hint === undefined ? {} : { hint }),
    cause: thrown,
  });
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
