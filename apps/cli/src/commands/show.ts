import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  isJsonObject,
  WfctlError,
  type Json,
  type JsonObject,
  type Plan,
  type PlanAction,
  type PlanNote,
} from "@wfctl/model";
import { parseShow, showSpec, type ShowArguments } from "../arguments/show.ts";
import type { Context } from "../context.ts";
import { decodeSavedPlan, type SavedPlan } from "../saved-plan.ts";
import { createView } from "../views/create-view.ts";
import type { Command } from "./command.ts";

export const showCommand: Command = {
  spec: showSpec,
  run: (argv, context) => runShow(parseShow(argv), context),
};

async function runShow(args: ShowArguments, context: Context): Promise<number> {
  const path = resolve(context.cwd, args.file);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new WfctlError("PLAN_INVALID", `Cannot read the saved plan "${path}"`, {
      hint: "Name a file that was made with: wfctl plan -o FILE",
      cause,
    });
  }
  const saved = decodeSavedPlan(text, path);
  const view = await createView(context, { json: args.json, markdown: args.markdown });
  view.plan(toPlan(saved), { diagnostics: [], notes: [] });
  view.close();
  return 0;
}

/** The plan as far as a plan file tells it: enough to be shown, never to be run. */
function toPlan({ plan, id, createdAt, stack, serial, configDigest, digest, options }: SavedPlan): Plan {
  const list = (key: string): readonly JsonObject[] => {
    const value = plan[key];
    return Array.isArray(value) ? (value as readonly Json[]).filter(isJsonObject) : [];
  };
  const summary = isJsonObject(plan["summary"]) ? plan["summary"] : {};
  const { readAt } = plan;
  return {
    id,
    createdAt,
    command: plan["command"] === "destroy" ? "destroy" : "apply",
    stack,
    serial,
    configDigest,
    providers: list("providers") as unknown as Plan["providers"],
    actions: list("actions").map(toAction),
    nodes: [],
    onFailure: options.onFailure ?? "continue",
    notes: list("notes") as unknown as readonly PlanNote[],
    unchanged: typeof summary["unchanged"] === "number" ? summary["unchanged"] : 0,
    ...(isJsonObject(readAt) ? { readAt: readAt as unknown as NonNullable<Plan["readAt"]> } : {}),
    digest,
  };
}

function toAction(action: JsonObject): PlanAction {
  const { config, source, ...rest } = action;
  const shown = rest as unknown as Omit<PlanAction, "desired">;
  if (!isJsonObject(config)) return shown;
  return {
    ...shown,
    desired: {
      name: shown.name,
      type: shown.type,
      provider: shown.provider,
      config,
      ...(typeof config["size"] === "string" ? { size: config["size"] } : {}),
      dependsOn: [],
      protected: false,
      lifecycle: {},
      timeouts: {},
      adoptExisting: false,
      existing: false,
      ...(isJsonObject(source) && typeof source["file"] === "string"
        ? { source: source as unknown as NonNullable<NonNullable<PlanAction["desired"]>["source"]> }
        : {}),
    },
  };
}
