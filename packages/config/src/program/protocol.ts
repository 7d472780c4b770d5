import type { Json } from "@wfctl/model";

/** A place in a program. Lines and columns count from 1. */
export interface ProgramPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What the process that evaluates a program says, once. */
export type ProgramReply =
  | {
      readonly document: Json;
      /** Of the modules. */
      readonly places: readonly (ProgramPlace | null)[];
      /** Of the items of `import`. */
      readonly importPlaces: readonly (ProgramPlace | null)[];
    }
  | (ProgramProblem & { readonly more?: readonly ProgramProblem[] });

/** What is wrong with a program. */
export interface ProgramProblem {
  readonly problem: string;
  readonly hint: string;
  readonly place?: ProgramPlace;
}
