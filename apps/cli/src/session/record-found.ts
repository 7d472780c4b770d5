import { sensitivePointersOf, type LiveObject, type Provider } from "@wfctl/engine";
import type { RecordMark, ResourceRecord } from "@wfctl/model";

export interface FoundObject {
  readonly name: string;
  readonly type: string;
  /** The provider's id that it was read by. */
  readonly id: string;
  readonly live: LiveObject;
  readonly dependencies: readonly string[];
  readonly protected: boolean;
  readonly retain: boolean;
  readonly mark: RecordMark;
  readonly markReason?: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** What is recorded of an object that exists: all of it as it was read, marked so that nothing is trusted before it is compared. */
export function recordFound(found: FoundObject, provider: Provider): ResourceRecord {
  const { name, type, live, at } = found;
  const traits = provider.traits(type);
  return {
    name,
    type,
    provider: provider.module,
    providerName: provider.name,
    providerVersion: provider.version,
    ...(provider.identity === undefined ? {} : { providerIdentity: provider.identity }),
    providerId: live.providerId === "" ? found.id : live.providerId,
    ...(live.inputs === undefined ? {} : { inputs: live.inputs }),
    outputs: live.outputs,
    sensitiveInputs: live.inputs === undefined ? [] : sensitivePointersOf(live.inputs, traits),
    sensitiveOutputs: [...new Set([...live.sensitive, ...(traits?.sensitiveOutputs ?? [])])].filter(
      (key) => live.outputs[key] !== undefined,
    ),
    dependencies: found.dependencies,
    fingerprint: "",
    mark: found.mark,
    ...(found.markReason === undefined ? {} : { markReason: found.markReason }),
    protected: found.protected,
    retain: found.retain,
    createdByUs: false,
    deposed: [],
    createdAt: at,
    updatedAt: at,
    readAt: at,
    run: "",
  };
}
