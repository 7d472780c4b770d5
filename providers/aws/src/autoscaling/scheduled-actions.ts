import type { ScheduledAction as LiveAction } from "@aws-sdk/client-application-auto-scaling";
import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { defined, isSame } from "../json.ts";
import { collect } from "../paging.ts";
import { retryWhile } from "../waiting.ts";
import { busy, type TargetKey } from "./policies.ts";
import type { ScheduledAction } from "./schema.ts";

export async function listScheduledActions({ autoscaling }: Aws, key: TargetKey): Promise<LiveAction[]> {
  return collect(async (token) => {
    const request = { ...key, ...(token === undefined ? {} : { NextToken: token }) };
    const page = await autoscaling.describeScheduledActions(request);
    return [page.ScheduledActions, page.NextToken] as const;
  });
}

/** Exactly these scheduled actions. */
export async function syncScheduledActions(
  cloud: Aws,
  key: TargetKey,
  wanted: readonly ScheduledAction[],
): Promise<void> {
  const { autoscaling, context } = cloud;
  const live = await listScheduledActions(cloud, key);
  for (const { ScheduledActionName: name = "" } of live) {
    if (wanted.some((action) => action.name === name)) continue;
    await retryWhile(context, busy, `scheduled action ${name} to be free`, () =>
      orAbsent(autoscaling.deleteScheduledAction({ ...key, ScheduledActionName: name })),
    );
  }
  for (const action of wanted) {
    const now = live.find((each) => each.ScheduledActionName === action.name);
    if (now !== undefined && isSame(toAction(now), action)) continue;
    const request = {
      ...key,
      ScheduledActionName: action.name,
      Schedule: action.schedule,
      Timezone: action.timezone,
      ...(action.start_time === undefined ? {} : { StartTime: new Date(action.start_time) }),
      ...(action.end_time === undefined ? {} : { EndTime: new Date(action.end_time) }),
      ScalableTargetAction: defined({ MinCapacity: action.min_capacity, MaxCapacity: action.max_capacity }),
    };
    await retryWhile(context, busy, `scheduled action ${action.name} to be free`, () =>
      autoscaling.putScheduledAction(request),
    );
  }
}

/** A scheduled action as the configuration would say it. */
export function toAction(live: LiveAction): ScheduledAction {
  return defined({
    name: live.ScheduledActionName ?? "",
    schedule: live.Schedule ?? "",
    timezone: live.Timezone ?? "UTC",
    start_time: live.StartTime?.toISOString(),
    end_time: live.EndTime?.toISOString(),
    min_capacity: live.ScalableTargetAction?.MinCapacity,
    max_capacity: live.ScalableTargetAction?.MaxCapacity,
  }) as ScheduledAction;
}
