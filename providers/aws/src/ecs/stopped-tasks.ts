import type { TroubleReport } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import type { ServicePlace } from "./names.ts";

const shown = 10;

/** Why tasks of a service ended, newest first. ECS remembers them for an hour. */
export async function describeStoppedTasks({ ecs }: Aws, place: ServicePlace): Promise<TroubleReport[]> {
  const { cluster, service } = place;
  const listed = await orAbsent(
    ecs.listTasks({ cluster, serviceName: service, desiredStatus: "STOPPED", maxResults: shown }),
  );
  const arns = listed?.taskArns ?? [];
  if (arns.length === 0) return [];
  const { tasks = [] } = await ecs.describeTasks({ cluster, tasks: arns });
  return tasks
    .map((task): TroubleReport => {
      const ended = (task.containers ?? []).flatMap(({ name, reason, exitCode }) => {
        if (reason !== undefined) return [`container ${name}: ${reason}`];
        return exitCode === undefined || exitCode === 0 ? [] : [`container ${name} ended with ${exitCode}`];
      });
      return {
        id: task.taskArn ?? "",
        phase: task.stopCode ?? "stopped",
        cause: ended[0] ?? task.stoppedReason ?? "no reason given",
        detail: [task.stoppedReason ?? "", ...ended].filter((line) => line !== "").join("\n"),
        ...(task.stoppedAt === undefined ? {} : { at: task.stoppedAt }),
      };
    })
    .toSorted((a, b) => (b.at?.getTime() ?? 0) - (a.at?.getTime() ?? 0));
}
