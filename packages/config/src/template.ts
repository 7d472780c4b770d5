import type { Expression } from "@wfctl/model";

/** What is wrong with a text that holds `${`. */
export interface TemplateProblem {
  /** UTF-16 units from the start of the text. */
  readonly offset: number;
  readonly summary: string;
  readonly hint: string;
}

export interface ParsedTemplate {
  /** Plain text where the template refers to nothing (escapes are undone), else the expression. */
  readonly value: string | Expression;
  readonly problems: readonly TemplateProblem[];
}
