declare const type: unique symbol;

/**
 * A value that is known when the stack is applied: an output, a variable, an environment variable. Inside of a template
 * literal it becomes text with a reference: `https://${api.outputs.host}/`.
 */
export interface Ref<T> {
  readonly [type]: T;
  /** The reference as a stack file has it. */
  toString(): string;
  toJSON(): string;
}

/** An output: a reference, and references to its parts. */
export type Output<T> = Ref<T> &
  (T extends readonly (infer Item)[]
    ? { readonly [index: number]: Output<NonNullable<Item>> }
    : T extends object
      ? { readonly [Key in keyof T]-?: Output<NonNullable<T[Key]>> }
      : unknown);

/** An expression, see `expr`. */
export type Computed<T> = Ref<T>;

/** A value, or something that gives it later; also inside of lists and maps. */
export type Input<T> =
  | Ref<T>
  | (T extends string
      ? T
      : T extends readonly (infer Item)[]
        ? readonly Input<Item>[]
        : T extends object
          ? { readonly [Key in keyof T]: Input<T[Key]> }
          : T);

const chainKey = Symbol("wfctl chain");

interface Chain {
  /** As an expression names it: `resource["db"].host`. */
  readonly expression: string;
  /** As a text has it: `${db.host}`. */
  readonly text: string;
}

/** A reference whose members are references to parts of it. */
function createReference<T>(chain: Chain): Output<T> {
  const target = Object.assign(Object.create(null) as object, {
    toString: () => chain.text,
    toJSON: () => chain.text,
    [Symbol.toPrimitive]: () => chain.text,
    [chainKey]: chain,
  });
  return new Proxy(target, {
    get(object, key) {
      if (Reflect.has(object, key) || typeof key === "symbol") return Reflect.get(object, key) as unknown;
      // A promise would be asked for it.
      if (key === "then") return undefined;
      return createReference(partOf(chain, key));
    },
  }) as unknown as Output<T>;
}

function partOf(chain: Chain, key: string): Chain {
  const step = /^\d+$/.test(key) ? `[${key}]` : /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
  const expression = `${chain.expression}${step}`;
  return { expression, text: `\${{ ${expression} }}` };
}

/** Outputs of a resource: each key is one. */
export function createOutputs<T>(name: string): { readonly [Key in keyof T]-?: Output<NonNullable<T[Key]>> } {
  const target = Object.create(null) as { [Key in keyof T]-?: Output<NonNullable<T[Key]>> };
  return new Proxy(target, {
    get: (_, key) => (typeof key === "symbol" ? undefined : outputOf(name, key)),
  });
}

export function outputOf<T>(name: string, key: string): Output<T> {
  const expression = `resource[${JSON.stringify(name)}]${partOf({ expression: "", text: "" }, key).expression}`;
  // The plain form splits at the first dot and cannot hold braces.
  const plain = !/[.{}$\s]/.test(key);
  return createReference({ expression, text: plain ? `\${${name}.${key}}` : `\${{ ${expression} }}` });
}

/** A variable of the stack file: `variable<string>("region")`. */
export function variable<T = string>(name: string): Output<T> {
  return createReference({ expression: `var.${name}`, text: `\${var.${name}}` });
}

/** An environment variable, read when the stack is applied and kept secret: `env("TOKEN")`. */
export function env(name: string): Ref<string> {
  return createReference({ expression: `env.${name}`, text: `\${${name}}` });
}

/** Text that is taken as it is, `${` included. */
export function literal(text: string): string {
  return text.replaceAll("${", () => "$${");
}

/**
 * An expression over values that are known later: expr<number>`${db.outputs.port} + 1`. References stand for their
 * value, other values for themselves.
 */
export function expr<T = unknown>(strings: TemplateStringsArray, ...values: readonly unknown[]): Computed<T> {
  let expression = strings[0] as string;
  for (const [index, value] of values.entries()) {
    expression += `${expressionOf(value)}${strings[index + 1] as string}`;
  }
  return createReference<T>({ expression: `(${expression})`, text: `\${{ ${expression} }}` });
}

function expressionOf(value: unknown): string {
  const chain = (value as { [chainKey]?: Chain } | null | undefined)?.[chainKey];
  if (chain !== undefined) return chain.expression;
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError("An expression can hold references and plain values only");
  return text;
}
