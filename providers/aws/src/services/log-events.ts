import type { FilteredLogEvent } from "@aws-sdk/client-cloudwatch-logs";
import type { LogChunk } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { each } from "../paging.ts";

const pollMs = 2_000;
/** How far back the last lines are looked for, farther each time. */
const windowsMs = [600_000, 3_600_000, 86_400_000, 7 * 86_400_000, 30 * 86_400_000];

export interface LogQuery {
  readonly group: string;
  /** Only of streams whose name begins so. */
  readonly streamPrefix?: string;
  readonly tailLines: number;
  readonly follow: boolean;
  /** Following ends then, in milliseconds since the epoch. */
  readonly until: number;
  /** Following ends when this is true, and nothing more has come. */
  readonly isOver?: () => Promise<boolean>;
}

/** The last lines of a log group, and what comes after them where that is asked for. */
export async function* readLogs(cloud: Aws, query: LogQuery): AsyncGenerator<LogChunk> {
  const { context } = cloud;
  const past = await lastEvents(cloud, query);
  for (const event of past) yield toChunk(event, "historic");
  const seen = new Set(past.map(({ eventId }) => eventId));
  let from = past.at(-1)?.timestamp ?? context.clock.now();
  while (query.follow && context.clock.now() < query.until) {
    const isOver = (await query.isOver?.()) ?? false;
    let count = 0;
    for await (const event of events(cloud, query, from)) {
      if (seen.has(event.eventId)) continue;
      seen.add(event.eventId);
      from = Math.max(from, event.timestamp ?? 0);
      count += 1;
      yield toChunk(event, "live");
    }
    if (isOver && count === 0) break;
    await context.sleep(pollMs);
  }
  yield { data: new Uint8Array(), eof: true };
}

/** Looked for from now on backwards: CloudWatch gives a group's events only in their order. */
async function lastEvents(cloud: Aws, query: LogQuery): Promise<FilteredLogEvent[]> {
  const now = cloud.context.clock.now();
  let found: FilteredLogEvent[] = [];
  for (const window of windowsMs) {
    found = [];
    for await (const event of events(cloud, query, now - window)) {
      found.push(event);
      if (found.length > query.tailLines * 2 + 1000) found.splice(0, found.length - query.tailLines);
    }
    if (found.length >= query.tailLines) break;
  }
  return query.tailLines > 0 ? found.slice(-query.tailLines) : found;
}

function events({ logs }: Aws, { group, streamPrefix }: LogQuery, from: number): AsyncGenerator<FilteredLogEvent> {
  return each(async (token) => {
    const page = await orAbsent(
      logs.filterLogEvents({
        logGroupName: group,
        startTime: Math.max(0, from),
        ...(streamPrefix === undefined ? {} : { logStreamNamePrefix: streamPrefix }),
        ...(token === undefined ? {} : { nextToken: token }),
      }),
    );
    return [page?.events, page?.nextToken] as const;
  });
}

function toChunk({ message = "", timestamp = 0 }: FilteredLogEvent, source: string): LogChunk {
  const line = `${new Date(timestamp).toISOString()} ${message.replace(/\n$/, "")}\n`;
  return { data: Buffer.from(line), source };
}
