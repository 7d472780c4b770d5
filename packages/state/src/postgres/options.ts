/** A Postgres database. Plain data: a thread can be given it. */
export interface PostgresOptions {
  /** `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…`; what is missing comes from `PG*` variables. */
  readonly dsn: string;
  /** Longest wait for a connection or an answer. @default 15000 */
  readonly timeoutMs?: number;
  /** Before a broken connection is made again, doubled before each further try. Others only in tests. @default 200 */
  readonly delayMs?: number;
}
