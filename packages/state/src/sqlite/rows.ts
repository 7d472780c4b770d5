import type { JournalEvent, RecordChange, ResourceRecord } from "@wfctl/model";
import { changesRecord, intentKey, providersOf, recordChangeOf, runOf } from "../reduce.ts";
import { summaryOf } from "../run-summary.ts";
import { sumOf } from "./checksum.ts";

/** One event, ready for the database: flat, so that it crosses to the worker cheaply. */
export interface EventRow {
  readonly kind: JournalEvent["kind"];
  /** Empty for `provider-config`. */
  readonly run: string;
  /** What closing a run has to know of the event: intent key, action or provider. */
  readonly slot: string | null;
  readonly body: string;
  readonly record?: RecordRow;
  /** Further columns of the kind. */
  readonly more?: readonly (string | number)[];
}

export interface RecordRow {
  readonly name: string;
  /** Undefined removes the record. */
  readonly put?: { readonly providers: string; readonly sum: number; readonly body: string };
}

export interface CommitRows {
  readonly changesRecord: boolean;
  readonly rows: readonly EventRow[];
}

/** Encodes one commit of sealed events. */
export function encodeCommit(events: readonly JournalEvent[]): CommitRows {
  return { changesRecord: changesRecord(events), rows: events.map(encodeEvent) };
}

function encodeEvent(event: JournalEvent): EventRow {
  const run = runOf(event) ?? "";
  const { kind } = event;
  const base = { kind, run, slot: slotOf(event) };
  if (kind === "run-started") {
    const { actions } = event.run;
    const summary = JSON.stringify(summaryOf({ header: event.run, closed: undefined }).header);
    const actionText = JSON.stringify(actions);
    return { ...base, body: summary, more: [actionText, actions.length] };
  }
  if (kind === "provider-config") return { ...base, body: JSON.stringify(event.config), more: [event.name] };
  if (kind === "run-closed") {
    const { end, at, error } = event;
    return { ...base, body: JSON.stringify({ end, at, error }), more: [at] };
  }
  if (kind === "half" && event.hooksOwed === true) {
    const { record } = event;
    const more = [event.action, "put" in record ? record.put.name : record.remove];
    return { ...encodeChange(base, event, record), more };
  }
  if (kind === "hooks-done") return { ...base, body: JSON.stringify(event), more: [event.action] };
  if (kind === "intent-unknown") return { ...base, body: JSON.stringify(event), more: [event.why] };
  const change = recordChangeOf(event);
  return change === undefined ? { ...base, body: JSON.stringify(event) } : encodeChange(base, event, change);
}

function encodeChange(
  base: Pick<EventRow, "kind" | "run" | "slot">,
  event: JournalEvent,
  change: RecordChange,
): EventRow {
  if (!("put" in change)) return { ...base, body: JSON.stringify(event), record: { name: change.remove } };
  // The record is encoded once: its text goes to its own row and into the event's.
  const { put } = change;
  const record = encodeRecord(put);
  const text = record.put.body;
  const rest = JSON.stringify({ ...event, record: undefined }).slice(0, -1);
  const body = `${rest},"record":${event.kind === "intent" ? text : `{"put":${text}}`}}`;
  return { ...base, body, record };
}

export function encodeRecord(record: ResourceRecord): RecordRow & { readonly put: NonNullable<RecordRow["put"]> } {
  const body = JSON.stringify(record);
  const providers = encodeProviders(providersOf(record));
  return { name: record.name, put: { providers, sum: sumOf(record.name, body), body } };
}

/** Ends the slot of a `half` whose hook is owed. */
export const owesHook = ":hook";

/** `/aws/gcp/`: each provider module between slashes. */
function encodeProviders(providers: readonly string[]): string {
  return `/${providers.map(encodeProvider).join("/")}/`;
}

export function encodeProvider(provider: string): string {
  return encodeURIComponent(provider);
}

function slotOf(event: JournalEvent): string | null {
  switch (event.kind) {
    case "intent":
      return intentKey(event.intent);
    case "intent-closed":
    case "intent-unknown":
      return intentKey(event);
    case "half":
      return `${intentKey({ ...event, phase: "apply" })}${event.hooksOwed === true ? owesHook : ""}`;
    case "hooks-done":
      return String(event.action);
    case "outcome":
      return event.keepIntents === true ? null : String(event.outcome.action);
    case "finalize-owed":
    case "provider-config":
      return event.provider;
    case "finalize-done":
      return event.errors.length === 0 ? event.provider : null;
    default:
      return null;
  }
}
