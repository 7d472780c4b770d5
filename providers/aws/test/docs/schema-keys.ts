/** One key of a schema, with its place below others: `subnets.*.cidr`, `ingress_rules[].port`. */
export interface Key {
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  readonly fallback: string;
  readonly text: string;
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

const shownEnum = 8;

export function listKeys(schema: object): Key[] {
  const keys = [...keysOf(schema as Schema, "")];
  const paths = new Set(keys.map(({ path }) => path));
  // Of a key that takes one object or a list of them, the members are shown once.
  return keys.filter(({ path }) => !path.includes("[]") || !paths.has(path.replaceAll("[]", "")));
}

function* keysOf(schema: Schema, prefix: string): Generator<Key> {
  for (const branch of branches(schema)) {
    const required = new Set(branch.required ?? []);
    for (const [name, member] of Object.entries(branch.properties ?? {})) {
      const path = prefix === "" ? name : `${prefix}.${name}`;
      yield {
        path,
        type: typeOf(member),
        required: required.has(name),
        fallback: fallbackOf(member),
        text: (member.description ?? "").replaceAll("|", "\\|"),
      };
      yield* below(member, path);
    }
  }
}

function* below(schema: Schema, path: string): Generator<Key> {
  for (const branch of branches(schema)) {
    if (branch.properties !== undefined) yield* keysOf({ ...branch }, path);
    if (branch.items !== undefined) yield* below(branch.items, `${path}[]`);
    if (typeof branch.additionalProperties === "object") yield* below(branch.additionalProperties, `${path}.*`);
  }
}

function branches(schema: Schema): Schema[] {
  const all = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  const own =
    schema.properties !== undefined || schema.items !== undefined || schema.additionalProperties !== undefined;
  return [...(own ? [schema] : []), ...all.flatMap(branches)];
}

function typeOf(schema: Schema): string {
  const alternatives = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  if (alternatives.length > 0) {
    const constants = alternatives.every((each) => each.const !== undefined);
    return constants
      ? words(alternatives.map((each) => each.const))
      : [...new Set(alternatives.map(typeOf))].join(" or ");
  }
  if (schema.enum !== undefined) return words(schema.enum);
  if (schema.const !== undefined) return words([schema.const]);
  if (schema.type === "array") return `list of ${schema.items === undefined ? "anything" : typeOf(schema.items)}`;
  if (schema.type !== "object") return typeof schema.type === "string" ? schema.type : "anything";
  if (schema.properties !== undefined) return "object";
  const { additionalProperties: values } = schema;
  return typeof values === "object" ? `map of ${typeOf(values)}` : "object";
}

function words(values: readonly unknown[]): string {
  const shown = values.slice(0, shownEnum).map((value) => `\`${String(value)}\``);
  return values.length > shownEnum ? `${shown.join(", ")}, …` : shown.join(", ");
}

function fallbackOf(schema: Schema): string {
  const { default: value } = schema;
  if (value === undefined || (typeof value === "string" && value.length > 40)) return "";
  if (value === "") return '`""`';
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}
