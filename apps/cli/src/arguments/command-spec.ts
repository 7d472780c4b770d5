/** A flag of a command. Written with one or two dashes, its value after a blank or an equals sign. */
export interface FlagSpec {
  readonly name: string;
  readonly short?: string;
  /** What its value is, in capitals; a flag without one is a switch. */
  readonly value?: string;
  readonly text: string;
  /** The only values it takes. */
  readonly choices?: readonly string[];
  /** Names separated by commas; the flag may be repeated. */
  readonly list?: true;
  /** May be given several times, each with one value. */
  readonly repeated?: true;
}

export interface PositionalSpec {
  readonly name: string;
  readonly text: string;
  readonly required: boolean;
}

/** What one command takes: the source of its parser, of its help and of its page in docs/cli.md. */
export interface CommandSpec {
  /** `["state", "list"]`. */
  readonly path: readonly string[];
  /** One sentence without a final period. */
  readonly summary: string;
  /** Paragraphs for its help. */
  readonly details?: readonly string[];
  readonly positionals?: readonly PositionalSpec[];
  readonly flags: readonly FlagSpec[];
  /** Flags of upstream that are refused by name, each with what to do instead. */
  readonly unserved?: Readonly<Record<string, string>>;
}
