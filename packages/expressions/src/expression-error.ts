/** What is wrong with an expression, or with the values it was given. The message never holds a value. */
export class ExpressionError extends Error {
  /** UTF-16 units from the start of the expression. */
  readonly offset: number;
  readonly hint: string;

  constructor(message: string, offset: number, hint: string) {
    super(message);
    this.name = "ExpressionError";
    this.offset = offset;
    this.hint = hint;
  }
}
