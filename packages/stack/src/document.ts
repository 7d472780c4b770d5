/** A stack as its file in YAML would hold it. */
export interface StackDocument {
  readonly [key: string]: unknown;
  readonly modules: readonly { readonly [key: string]: unknown }[];
}

/** Where a module was declared. Lines and columns from 1. */
export interface DeclarationPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A document with the place of each module. */
export interface BuiltStack {
  readonly document: StackDocument;
  readonly places: readonly (DeclarationPlace | undefined)[];
  /** The same of each item of `import`. */
  readonly importPlaces: readonly (DeclarationPlace | undefined)[];
}

/** Place of the call into the function that calls this. */
export function callPlace(): DeclarationPlace | undefined {
  // The message, this function, its caller, and then the program.
  const line = (new Error("place").stack ?? "").split("\n")[3] ?? "";
  const match = /(?:\(|at )(?:async )?(file:\/\/[^)]+|\/[^)]+):(\d+):(\d+)\)?$/.exec(line);
  const file = match?.[1];
  return file === undefined ? undefined : { file, line: Number(match?.[2]), column: Number(match?.[3]) };
}
