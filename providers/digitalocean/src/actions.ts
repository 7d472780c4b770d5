import { ProviderFailure } from "@wfctl/plugin-sdk";
import { api, type Context } from "./calls.ts";
import { orAbsent } from "./errors.ts";
import { awaitThat } from "./waiting.ts";

interface Action {
  readonly id: number;
  readonly status: "in-progress" | "completed" | "errored";
  readonly type: string;
}

/** Starts an action on a droplet or a volume and waits until it has ended. */
export async function runAction(context: Context, path: string, body: object, what: string): Promise<void> {
  const cloud = api(context);
  const { action } = await cloud.post<{ action: Action }>(`${path}/actions`, body);
  await awaitThat(context, what, async () => {
    const now = (await orAbsent(cloud.get<{ action: Action }>(`actions/${action.id}`)))?.action;
    if (now?.status === "errored") throw new ProviderFailure("unknown", `DigitalOcean could not finish: ${what}`);
    return now?.status === "completed" ? now : undefined;
  });
}
