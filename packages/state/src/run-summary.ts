import type { RunSummary } from "@wfctl/engine";
import type { RunHeader, RunState } from "@wfctl/model";

/** What a list of runs shows of one. */
export function summaryOf(run: { readonly header: RunHeader; readonly closed?: RunState["closed"] }): RunSummary {
  const { actions, ...header } = run.header;
  return {
    header: { ...header, actionCount: actions.length },
    ...(run.closed === undefined ? {} : { end: run.closed.end, endedAt: run.closed.at }),
  };
}
