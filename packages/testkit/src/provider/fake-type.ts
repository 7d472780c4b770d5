import type { TypeTraits } from "@wfctl/engine";

/** A resource type of the fake provider: what it tells as traits, and how it behaves. */
export interface FakeType extends TypeTraits {
  /** Outputs beside the usual ones, by key; those named by `sensitiveOutputs` are told as secrets. */
  readonly extraOutputs?: Readonly<Record<string, string>>;
  /** The finalizer has deferred work after creates and updates of this type. */
  readonly deferred?: boolean;
}

/** A type of our own providers with everything that they can do. */
export const convergentType: FakeType = { convergentCreate: true, lookup: true, forceNew: ["region"] };

/** What upstream's plugins can do: nothing is declared; `region` still replaces. */
export const plainType: FakeType = { forceNew: ["region"] };
