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

/** "60 s": a bound for people. */
export function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
