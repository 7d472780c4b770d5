const unitMs = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** The longest that a timer can wait, in milliseconds: a little under 25 days. */
export const maxDurationMs = 2_147_483_647;

/**
 * Milliseconds of a duration as people write it: `30m`, `1h30m`, `90s`, `1.5h`, or a number of seconds.
 * Undefined where it is none, is not above zero, or is longer than timers can wait.
 */
export function parseDuration(value: unknown): number | undefined {
  let ms: number;
  if (typeof value === "number") ms = value * 1000;
  else if (typeof value === "string" && /^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/.test(value)) {
    ms = 0;
    for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) {
      ms += Number(amount) * (unitMs.get(unit ?? "") ?? Number.NaN);
    }
  } else return undefined;
  ms = Math.round(ms);
  return ms > 0 && ms <= maxDurationMs ? ms : undefined;
}
