/** A command that ended because the user said so, before it changed anything. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.name = "Interrupted";
    this.exitCode = exitCode;
  }
}
