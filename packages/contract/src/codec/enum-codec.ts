import type { UnknownEnum } from "@bufbuild/protobuf";
import { WireFormatError } from "./json.ts";

/** The numbers of an enum that the contract names. */
export type Known<Wire> = Exclude<Wire, UnknownEnum>;

/** Both directions between an enum of the wire and the words of the domain. */
export interface EnumCodec<Word extends string, Wire> {
  readonly words: readonly Word[];
  readonly toWire: (word: Word) => Known<Wire>;
  /** Refuses, naming `field`, a number that the contract does not name and one that may not occur. */
  readonly fromWire: (number: Wire, field: string) => Word;
}

export type WordOf<Codec> = Codec extends { readonly words: readonly (infer Word)[] } ? Word : never;

/**
 * A codec from a table that names every number of the enum once; `null` marks a number that may not occur.
 * A number left out does not compile. With a fallback, numbers that would be refused read as that word instead.
 */
export function enumCodec<Wire extends number>() {
  return <const Table extends Record<Known<Wire>, string | null>>(
    name: string,
    table: Table,
    fallback?: NonNullable<Table[keyof Table & Known<Wire>]> & string,
  ): EnumCodec<NonNullable<Table[keyof Table & Known<Wire>]> & string, Wire> => {
    type Word = NonNullable<Table[keyof Table & Known<Wire>]> & string;
    const words = new Map<number, Word>();
    const numbers = new Map<Word, Known<Wire>>();
    for (const [key, word] of Object.entries(table) as [string, Word | null][]) {
      if (word === null) continue;
      words.set(Number(key), word);
      numbers.set(word, Number(key) as Known<Wire>);
    }
    const allowed = [...words.keys()].join(", ");
    return {
      words: [...words.values()],
      toWire: (word) => {
        const number = numbers.get(word);
        if (number === undefined) throw new WireFormatError(name, `has no number for ${JSON.stringify(word)}`);
        return number;
      },
      fromWire: (number, field) => {
        const word = words.get(number) ?? fallback;
        if (word !== undefined) return word;
        throw new WireFormatError(field, `holds ${number}, which is no valid ${name}; it should be one of ${allowed}`);
      },
    };
  };
}
