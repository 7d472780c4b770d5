/** Reads attributes by Terraform's names. Empty where there is none that can be read. */
export type ReadAttribute = (name: string) => string;

/** How objects of a foreign type become resources of one of our providers. */
export interface TypeMapping {
  readonly terraform: readonly string[];
  readonly pulumi: readonly string[];
  /** The resource type, or a sentence that says why this object is none. */
  readonly type: string | ((read: ReadAttribute) => string | { readonly why: string });
  /** The id that the provider's Read takes. Empty where what it is made of is not there. */
  readonly id: (read: ReadAttribute) => string;
  /** Attributes that the id is made of, for the message where they are not there. */
  readonly from: string;
}

/** A foreign type that is a part of one of our resources, and comes with it. */
export interface PartMapping {
  readonly type: string;
  /** Where the resource's configuration speaks of it. */
  readonly key: string;
  readonly terraform: readonly string[];
  readonly pulumi: readonly string[];
}

/** What is known of one foreign provider. */
export interface ProviderMapping {
  /** Name of the foreign provider, and of ours. */
  readonly foreign: string;
  readonly provider: string;
  readonly types: readonly TypeMapping[];
  readonly parts: readonly PartMapping[];
}
