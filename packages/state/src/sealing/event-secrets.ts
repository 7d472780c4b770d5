import { WfctlError, type JournalEvent, type RecordChange } from "@wfctl/model";
import { isSealed, type Sealer } from "./sealer.ts";
import { mapIntentSecrets, mapProviderConfig, mapRecordSecrets, type VisitSecret } from "./secrets.ts";

/** The event as it is stored: every secret of it sealed. Without a sealer an event that holds one is refused. */
export function sealEvent(event: JournalEvent, sealer: Sealer | undefined): JournalEvent {
  return mapEventSecrets(event, sealWith(sealer));
}

/** The event as it was before `sealEvent`. Without a sealer sealed values stay as they are. */
export function openEvent(event: JournalEvent, sealer: Sealer | undefined): JournalEvent {
  return sealer === undefined ? event : mapEventSecrets(event, openWith(sealer));
}

export function sealWith(sealer: Sealer | undefined): VisitSecret {
  if (sealer !== undefined) return (value, context) => sealer.seal(value, context);
  return () => {
    throw new WfctlError("KEY_REQUIRED", "Writing a secret to the state failed: no key is given", {
      hint: "Set WFCTL_KEY, WFCTL_KEY_FILE or WFCTL_PASSPHRASE",
    });
  };
}

export function openWith(sealer: Sealer): VisitSecret {
  return (value, context) => (isSealed(value) ? sealer.open(value, context) : value);
}

/** Gives back the same event where it holds no secret. */
export function mapEventSecrets(event: JournalEvent, visit: VisitSecret): JournalEvent {
  switch (event.kind) {
    case "provider-config":
      return { ...event, config: mapProviderConfig(event.provider, event.config, visit) };
    case "intent": {
      const intent = mapIntentSecrets(event.intent, visit);
      const record = event.record === undefined ? undefined : mapRecordSecrets(event.record, visit);
      if (intent === event.intent && record === event.record) return event;
      return { ...event, intent, ...(record === undefined ? {} : { record }) };
    }
    case "outcome":
    case "half":
    case "intent-closed":
    case "record": {
      if (event.record === undefined) return event;
      const record = mapChange(event.record, visit);
      return record === event.record ? event : { ...event, record };
    }
    default:
      return event;
  }
}

function mapChange(change: RecordChange, visit: VisitSecret): RecordChange {
  if (!("put" in change)) return change;
  const put = mapRecordSecrets(change.put, visit);
  return put === change.put ? change : { put };
}
