/** What an attribute of a foreign object is. */
export type Attribute =
  | { readonly is: "value"; readonly text: string }
  | { readonly is: "missing" }
  /** Sealed by the other tool: nobody without its key can read it. */
  | { readonly is: "encrypted" };

/** One object that another tool's state records. */
export interface ForeignObject {
  /** As the other tool writes it: `module.net.aws_vpc.main[0]`, a URN. */
  readonly address: string;
  /** `aws_vpc`, `aws:ec2/vpc:Vpc`. */
  readonly type: string;
  /** `{ name: "aws", alias: "west" }`. */
  readonly provider: { readonly name: string; readonly alias?: string };
  /** Names of the modules or parents around it, outermost first, each with its instance key. */
  readonly path: readonly string[];
  readonly name: string;
  /** Key of an instance of `count` or `for_each`. */
  readonly key?: string;
  /** `old`: replaced already, and only waiting to be deleted. */
  readonly status: "current" | "tainted" | "old";
  readonly protected: boolean;
  /** The other tool would not delete it. */
  readonly retain: boolean;
  /** Addresses, as far as the other tool records them; of all instances where it names the resource only. */
  readonly dependencies: readonly string[];
  /** An attribute by the name that Terraform gives it. */
  attribute(name: string): Attribute;
}

export interface ForeignState {
  /** For people: `Terraform state, version 4`. */
  readonly format: string;
  readonly objects: readonly ForeignObject[];
  /** What is recorded and is no object of its own in a cloud: data sources, components. */
  readonly skipped: readonly { readonly address: string; readonly why: string }[];
  /** Sentences about the whole file. */
  readonly notes: readonly string[];
}
