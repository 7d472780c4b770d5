import type { ImportedRecords } from "@wfctl/exchange";
import { WfctlError, type ResourceRecord, type StackState } from "@wfctl/model";
import { commitAsRun } from "./change-state.ts";
import type { WritingSession } from "./writing-session.ts";

/** Records of another state, as ours. */
export interface TakenRecords extends Partial<Pick<ImportedRecords, "providers" | "unknown">> {
  readonly records: readonly ResourceRecord[];
  /** A record of the same object under the same name is there from an earlier import, and stays as it is. */
  readonly again: boolean;
}

/** What of it is new to the state. Throws USAGE where a name is taken: nothing that is recorded is written over. */
export function takeOverRecords(
  state: Pick<StackState, "records" | "unknown" | "providerConfigs"> | undefined,
  from: string,
  { records, providers = [], again }: TakenRecords,
): {
  readonly fresh: readonly ResourceRecord[];
  readonly kept: number;
  commit(session: WritingSession): Promise<void>;
} {
  const isSame = (record: ResourceRecord): boolean => {
    const own = state?.records.get(record.name);
    return own?.type === record.type && own.provider === record.provider && own.providerId === record.providerId;
  };
  const kept = again ? records.filter(isSame) : [];
  const fresh = records.filter((record) => !kept.includes(record));
  const taken = fresh.filter(({ name }) => state?.records.has(name) === true || state?.unknown.has(name) === true);
  if (taken.length > 0) {
    const names = taken.map(({ name }) => name).join(", ");
    throw new WfctlError("USAGE", `Cannot import from "${from}": the state records ${names} already`, {
      hint: "Import into a stack that is empty; nothing was imported",
    });
  }
  return {
    fresh,
    kept: kept.length,
    async commit(session) {
      if (fresh.length === 0) return;
      await commitAsRun(session, "import", (run) => [
        ...providers
          .filter(({ module }) => session.state.providerConfigs.has(module) !== true)
          .map(({ module, name, config }) => ({ kind: "provider-config", provider: module, name, config }) as const),
        ...fresh.map((record) => ({ kind: "record", run, record: { put: { ...record, run } } }) as const),
      ]);
    },
  };
}
