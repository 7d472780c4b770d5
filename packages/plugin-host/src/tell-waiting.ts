/** To whom it is told that a plugin lets the host wait, and from when on. */
export interface Waiting {
  readonly afterMs: number;
  readonly tell: (text: string) => void;
}

/** The work's end. Where it takes longer than `afterMs`, it is told once what it waits for; without a timer left behind. */
export async function tellWaiting<T>(work: Promise<T>, { afterMs, tell }: Waiting, text: string): Promise<T> {
  const timer = setTimeout(tell, afterMs, text);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

/** Between two lines about calls of one plugin. */
const quietMs = 30_000;

/**
 * `tellWaiting` for the many calls of one plugin: one line for all that are late at the same time, and at most one in
 * half a minute.
 */
export function createCallNotice(
  { afterMs, tell }: Waiting,
  title: string,
): <T>(work: Promise<T>, call: string, timeoutMs: number) => Promise<T> {
  let late = 0;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  return async (work, call, timeoutMs) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      late += 1;
      if (late > 1 || performance.now() - toldAtMs < quietMs) return;
      toldAtMs = performance.now();
      tell(`Plugin ${title} has not answered ${call} yet: it has up to ${seconds(timeoutMs)}`);
    }, afterMs);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
      if (isLate) late -= 1;
    }
  };
}

/** "60 s": a bound for people. */
export function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
