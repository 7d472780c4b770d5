/** Waits for a promise that never rejects, at most `ms`. False where it took longer. Does not keep this process alive by itself. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
    timer.unref();
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again and again until the answer is there, or `ms` have passed: undefined then. Asks at least once. */
export async function eventually<T>(ask: () => Promise<T | undefined>, ms: number): Promise<T | undefined> {
  const until = Date.now() + ms;
  for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
    const answer = await ask();
    if (answer !== undefined || Date.now() + pauseMs > until) return answer;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
