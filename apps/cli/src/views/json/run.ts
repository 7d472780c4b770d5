import { applyResultToJson } from "@wfctl/contract";
import type { JsonObject } from "@wfctl/model";
import type { RunFacts } from "../view.ts";
import { errorToJson } from "./error.ts";

/** `wfctl/apply/1`: the apply result as the wire names its fields, and beside it what only this host knows. */
export function runToJson(facts: RunFacts): JsonObject {
  const { report, plan } = facts;
  return {
    schema: "wfctl/apply/1",
    command: facts.command,
    end: facts.end,
    exitCode: facts.exitCode,
    stack: { ...plan.stack },
    ...(report === undefined ? {} : { run: report.run }),
    durationMs: Math.round(facts.durationMs),
    unchanged: plan.unchanged,
    outcomes: (report?.outcomes ?? []).map((outcome) => {
      const action = plan.actions[outcome.action];
      return {
        ...outcome,
        ...(outcome.causes === undefined ? {} : { causes: [...outcome.causes] }),
        kind: action?.kind ?? "",
        name: action?.name ?? "",
        type: action?.type ?? "",
      };
    }),
    unknown: facts.unknown.map((entry) => ({ ...entry })),
    finalizeErrors: (report?.finalizeErrors ?? []).map((error) => ({ ...error })),
    ...(facts.outputs === undefined ? {} : { outputs: facts.outputs }),
    ...(report?.fatal === undefined ? {} : { fatal: errorToJson(report.fatal) }),
    ...(report === undefined ? {} : { result: applyResultToJson(report.result) }),
  };
}
