import { get } from "node:http";
import { createConnection } from "node:net";
import type { HealthCheck } from "../services/service-file.ts";

export type Health = "unknown" | "healthy" | "unhealthy";

/** Checks again and again until it is stopped. `report` is called when the verdict changes. */
export function watchHealth(check: HealthCheck, port: number, report: (health: Health) => void): { stop(): void } {
  let stopped = false;
  let health: Health = "unknown";
  let successes = 0;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  // Until the first verdict the pause is short: a service is usually up long before its period is over.
  const pauseMs = (): number =>
    health === "unknown" ? Math.min(100, check.period_seconds * 1000) : check.period_seconds * 1000;
  const judge = (ok: boolean): void => {
    successes = ok ? successes + 1 : 0;
    failures = ok ? 0 : failures + 1;
    const next = successes >= check.success_threshold ? "healthy" : failures >= failuresNeeded() ? "unhealthy" : health;
    if (next === health) return;
    health = next;
    report(health);
  };
  const started = Date.now();
  const failuresNeeded = (): number => {
    // The quick checks at the beginning do not count as failed periods.
    const early = Date.now() - started < check.failure_threshold * check.period_seconds * 1000;
    return health === "unknown" && early ? Number.POSITIVE_INFINITY : check.failure_threshold;
  };
  const round = async (): Promise<void> => {
    const ok = await probe(check, port);
    if (stopped) return;
    judge(ok);
    timer = setTimeout(() => void round(), pauseMs());
  };
  timer = setTimeout(() => void round(), check.initial_delay_seconds * 1000);
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** One check: an HTTP answer from 200 to 399, else a connection that is accepted. */
function probe(check: HealthCheck, port: number): Promise<boolean> {
  const timeout = check.timeout_seconds * 1000;
  const target = check.tcp_port ?? check.port ?? port;
  return new Promise((resolve) => {
    if (check.http_path === undefined) {
      const socket = createConnection({ host: "127.0.0.1", port: target, timeout });
      const end = (ok: boolean): void => {
        socket.destroy();
        resolve(ok);
      };
      socket.once("connect", () => end(true));
      socket.once("timeout", () => end(false));
      socket.once("error", () => end(false));
      return;
    }
    const request = get(
      { host: "127.0.0.1", port: target, path: check.http_path, timeout, agent: false },
      (response) => {
        response.resume();
        const code = response.statusCode ?? 0;
        resolve(code >= 200 && code < 400);
        response.destroy();
      },
    );
    request.once("timeout", () => request.destroy());
    request.once("error", () => resolve(false));
  });
}
