import { setTimeout as sleep } from "node:timers/promises";

/** Resolves once the condition holds; throws after the limit, so that a test that waits in vain says what for. */
export async function waitUntil(what: string, holds: () => boolean, limitMs = 60_000): Promise<void> {
  const until = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > until) throw new Error(`Waited ${limitMs} ms in vain until ${what}`);
    await sleep(10);
  }
}
