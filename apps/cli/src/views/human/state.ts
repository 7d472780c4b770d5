import type { Json, JsonObject, ResourceRecord } from "@wfctl/model";
import { toYaml } from "../yaml.ts";
import type { DoctorFacts, LeaseFacts, RecordsFacts, StatusFacts } from "../view.ts";
import type { Style } from "./style.ts";
import { alignColumns, count, indent, printable, showDuration } from "./text.ts";

export function renderStatus(facts: StatusFacts, style: Style): string {
  const { stack, state } = facts;
  const title = `Stack ${stack.name}, environment ${stack.environment}`;
  if (state === undefined) return `${title}\n  There is no state yet at ${facts.location}\n`;
  const blocks = [
    [
      `${title}, state serial ${state.serial}`,
      `  state:    ${facts.location}`,
      `  lineage:  ${state.lineage}`,
      `  lease:    ${describeLease(state.lease)}`,
      `  last run: ${describeLastRun(state.lastRun)}`,
      ...(state.sealed ? ["  secrets:  hidden, no key was found"] : []),
    ].join("\n"),
  ];
  const live = state.records.some((row) => row.live !== undefined);
  const rows = state.records.map(({ record, live: read }) => [
    ...recordCells(record),
    ...(live
      ? [
          read === undefined
            ? ""
            : read.state === "there"
              ? `there ${read.text}`.trim()
              : `${read.state} ${read.text}`.trim(),
        ]
      : []),
  ]);
  blocks.push(
    rows.length === 0
      ? "No resources are recorded."
      : table(["resource", "type", "provider", "id", "marks", ...(live ? ["cloud"] : [])], rows, style),
  );
  const doubts = [
    ...state.openRuns.map(
      (run) =>
        `Run ${run.id} (${run.command} of ${run.startedAt}) has not ended${run.inFlight.length === 0 ? "" : `; in flight: ${run.inFlight.map(({ name, operation }) => `${operation} ${printable(name)}`).join(", ")}`}. If no process is behind it any more, the next apply resolves it.`,
    ),
    ...state.unknown.map(
      ({ name, operation, why }) =>
        `"${printable(name)}" is unknown: ${operation} ended without an answer (${printable(why)}). Settle it with: wfctl state resolve ${printable(name)} --id ID, or --absent`,
    ),
    ...state.finalizeOwed.map(
      (provider) => `The finalizer of "${printable(provider)}" is owed: the next apply calls it.`,
    ),
  ];
  if (doubts.length > 0) blocks.push(doubts.map((text) => `${style.warn("Note:")} ${text}`).join("\n"));
  const tally = [count(state.records.length, "resource")];
  if (state.unknown.length > 0) tally.push(`${state.unknown.length} unknown`);
  blocks.push(style.strong(`${tally.join(", ")}.`));
  return `${blocks.join("\n\n")}\n`;
}

export function renderRecords(facts: RecordsFacts, style: Style): string {
  const rows = facts.records.map(recordCells);
  for (const { name, operation } of facts.unknown) {
    if (!facts.records.some((record) => record.name === name))
      rows.push([printable(name), "", "", "", `unknown (${operation})`]);
  }
  if (rows.length === 0) return "No resources are recorded.\n";
  return `${table(["resource", "type", "provider", "id", "marks"], rows, style)}\n`;
}

export function renderRecord(record: ResourceRecord): string {
  return printableLines(toYaml(recordToJson(record)));
}

/** What tells most comes first; what only the engine needs is left out. */
function recordToJson(record: ResourceRecord): JsonObject {
  const { name, type, providerId, provider, providerName, providerVersion, providerIdentity, mark, markReason } =
    record;
  const { size, dependencies, inputs, outputs, deposed, protected: isProtected, retain, createdByUs } = record;
  const entries: readonly (readonly [string, Json | undefined])[] = Object.entries({
    name,
    type,
    id: providerId,
    provider: `${provider} (${[providerName, providerVersion].filter((part) => part !== "").join(" ")})`,
    account: providerIdentity,
    mark: mark === undefined ? undefined : [mark, ...(markReason === undefined ? [] : [markReason])].join(": "),
    protected: isProtected,
    retain,
    created_by_wfctl: createdByUs,
    size,
    dependencies,
    inputs,
    outputs,
    deposed:
      deposed.length === 0
        ? undefined
        : deposed.map(({ providerId: id, type: of, sinceRun }) => ({ id, type: of, since_run: sinceRun })),
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    read_at: record.readAt,
    revisit_at: record.revisitAt,
    run: record.run,
  });
  return Object.fromEntries(entries.filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

export function renderLease(facts: LeaseFacts): string {
  if (facts.holder === undefined) return "Nobody holds the lease.\n";
  const { holder } = facts;
  return [
    `Lease ${facts.id} is held by "${printable(holder.command)}"`,
    `  process: ${holder.pid} on ${printable(holder.host)}, user ${printable(holder.user)}${facts.alive === undefined ? "" : ` (${aliveText[facts.alive]})`}`,
    `  since:   ${holder.since}`,
    `  beat:    ${showDuration(facts.beatAgoMs)} ago; it runs out in ${showDuration(facts.expiresInMs)} without another`,
    "",
  ].join("\n");
}

export function renderDoctor(facts: DoctorFacts, style: Style): string {
  const lines = [`State ${facts.location}`];
  for (const { problem } of facts.repaired) lines.push(`  ${style.good("repaired")} ${printable(problem)}`);
  for (const finding of facts.findings) {
    const word = finding.severity === "error" ? style.bad("error") : style.warn("warning");
    lines.push(`  ${word} ${printable(finding.problem)} [${finding.check}]`);
    lines.push(
      `    ${finding.repair === undefined ? "No repair is known; bring the state back from a copy" : `wfctl state doctor --repair ${finding.repair}`}`,
    );
  }
  lines.push(
    style.strong(
      facts.findings.length === 0 ? "The state is sound." : `${count(facts.findings.length, "problem")} found.`,
    ),
  );
  return `${lines.join("\n")}\n`;
}

const aliveText = {
  alive: "it runs",
  dead: "it is gone: the next run takes the lease over",
  unknown: "on another machine",
} as const;

function describeLease(lease: LeaseFacts): string {
  if (lease.holder === undefined) return "free";
  const { command, user, host, pid, since } = lease.holder;
  if (lease.alive === "dead") return `free: its last holder, "${printable(command)}" (process ${pid}), is gone`;
  return `held by "${printable(command)}" since ${since} (${printable(user)}@${printable(host)}, process ${pid}), id ${lease.id}`;
}

function describeLastRun(run: NonNullable<StatusFacts["state"]>["lastRun"]): string {
  if (run === undefined) return "none";
  const { id, command, startedAt, actionCount } = run.header;
  return `${id}, ${command} of ${count(actionCount, "action")} at ${startedAt}: ${run.end ?? "not ended"}`;
}

function recordCells(record: ResourceRecord): string[] {
  const marks = [
    ...(record.mark === undefined
      ? []
      : [record.markReason === undefined ? record.mark : `${record.mark} (${record.markReason})`]),
    ...(record.protected ? ["protected"] : []),
    ...(record.deposed.length === 0 ? [] : [`${count(record.deposed.length, "old object")} to delete`]),
  ];
  return [
    printable(record.name),
    record.type,
    printable(record.provider),
    printable(record.providerId),
    printable(marks.join(", ")),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[], style: Style): string {
  const [first = "", ...lines] = alignColumns([head, ...rows]);
  return indent([style.faint(first), ...lines].join("\n"), "  ");
}

function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
