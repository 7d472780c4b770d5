import type { Context } from "../context.ts";
import type { HumanViewOptions } from "./human/human-view.ts";
import type { View } from "./view.ts";

export interface ViewChoice extends HumanViewOptions {
  readonly json: boolean;
  /** The command tells what happens while it runs. @default false */
  readonly stream?: boolean;
}

/** The view that the command line asks for. Only the chosen one is loaded. */
export async function createView(context: Context, choice: ViewChoice): Promise<View> {
  if (choice.json) {
    const { createJsonView } = await import("./json/json-view.ts");
    return createJsonView(context, { stream: choice.stream === true });
  }
  const { createHumanView } = await import("./human/human-view.ts");
  return createHumanView(context, choice);
}
