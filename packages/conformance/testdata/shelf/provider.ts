import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  alreadyExists,
  defineProvider,
  defineResource,
  notFound,
  ProviderFailure,
  waitFor,
  z,
  type CallContext,
} from "@wfctl/plugin-sdk";

/** A good provider over a folder, with one deliberate defect where the environment names it. */
export const defect = process.env["SHELF_DEFECT"] ?? "";

interface Shelf {
  readonly root: string;
}
interface Book {
  readonly id: string;
  readonly name: string;
  readonly token: string;
  readonly owner: string | undefined;
  readonly input: Input;
}

const input = z.strictObject({
  title: z.string().min(1),
  pages: z.number().int().min(1).default(100),
  shelf: z.string().default("main"),
  code: z.string().optional(),
  /** What the create does after it has made the book. */
  then: z.enum(["fail", "wait"]).optional(),
});
type Input = z.infer<typeof input>;

const fileOf = ({ root }: Shelf, id: string): string => join(root, `${id}.json`);

function load(shelf: Shelf, id: string): Book | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(shelf, id), "utf8")) as Book;
  } catch {
    return undefined;
  }
}

function save(shelf: Shelf, book: Book): void {
  mkdirSync(shelf.root, { recursive: true });
  const file = fileOf(shelf, book.id);
  writeFileSync(`${file}.${process.pid}.new`, JSON.stringify(book));
  renameSync(`${file}.${process.pid}.new`, file);
}

function* all(shelf: Shelf): Generator<Book> {
  mkdirSync(shelf.root, { recursive: true });
  for (const file of readdirSync(shelf.root)) {
    const book = file.endsWith(".json") ? load(shelf, file.slice(0, -".json".length)) : undefined;
    if (book !== undefined) yield book;
  }
}

function find(shelf: Shelf, { id, name }: { id: string; name: string }): Book | undefined {
  if (id !== "") return load(shelf, id);
  return defect === "id-only" ? undefined : [...all(shelf)].find((book) => book.name === name);
}

let reads = 0;
const removed = new Set<string>();

function stateOf(book: Book) {
  const { code: _code, then: _then, ...inputs } = book.input;
  reads += 1;
  return {
    id: book.id,
    name: book.name,
    owner: book.owner,
    ...(defect === "no-inputs" ? {} : { inputs }),
    outputs: {
      title: book.input.title,
      code: book.input.code ?? "none",
      ...(defect === "unstable-read" ? { reads: String(reads) } : {}),
    },
  };
}

const book = defineResource<Shelf>()({
  type: "infra.book",
  description: "A book on a shelf",
  input,
  outputs: z.looseObject({ title: z.string(), code: z.string() }),
  forceNew: ["shelf"],
  sensitiveInputs: ["code"],
  writeOnly: ["code", "then"],
  sensitiveOutputs: ["code"],
  convergentCreate: true,
  settleMs: 200,

  async create({ name, input: wanted }, context) {
    const { client, clientToken: token, owner } = context;
    const known = [...all(client)];
    const own = defect === "forgets-tokens" ? undefined : known.find((each) => each.token === token);
    if (own === undefined && known.some((each) => each.name === name)) {
      const taken = known.find((each) => each.name === name)!;
      if (defect === "takes-over") {
        save(client, { ...taken, owner, input: wanted });
        return { ...stateOf({ ...taken, owner, input: wanted }), created: false };
      }
      if (defect === "unmarked-clash") throw new ProviderFailure("unknown", "409 conflict");
      if (defect !== "forgets-tokens") return alreadyExists(`Book "${name}" is there`);
    }
    if (defect === "remembers-names" && removed.has(name)) return alreadyExists(`Book "${name}" was there`);
    const made: Book = own ?? { id: `${name}-${known.length}-${token}`, name, token, owner, input: wanted };
    save(client, made);
    if (defect !== "loses-partials") context.partial(made.id);
    await afterwards(wanted, context);
    return { ...stateOf(made), ...(defect === "silent-create" ? {} : { created: own === undefined }) };
  },
  async read(ref, { client }) {
    const found = find(client, ref);
    return found === undefined ? notFound() : stateOf(found);
  },
  async update(ref, { input: wanted }, { client }) {
    const found = find(client, ref);
    if (found === undefined && defect === "update-makes") {
      const made = { id: ref.id, name: ref.name, token: "", owner: undefined, input: wanted };
      save(client, made);
      return stateOf(made);
    }
    if (found === undefined) return notFound();
    if (defect === "forgets-update") return stateOf(found);
    save(client, { ...found, input: wanted });
    return stateOf({ ...found, input: wanted });
  },
  async delete(ref, { client }) {
    const found = find(client, ref);
    if (found === undefined) {
      if (defect === "delete-once") throw new ProviderFailure("unknown", "nothing to delete");
      return notFound();
    }
    removed.add(found.name);
    if (defect !== "keeps-deleted") rmSync(fileOf(client, found.id), { force: true });
    return undefined;
  },
  async lookup({ token }, { client }) {
    const found = [...all(client)].find((each) => each.token === token);
    return found === undefined ? notFound() : stateOf(found);
  },
  async *list({ client }) {
    for (const each of all(client)) yield stateOf(each);
  },
  diff(_desired, known, standard) {
    if (defect === "restless-diff") return { changes: [{ path: "title", forceNew: false }] };
    if (defect === "blind-diff") return { changes: [] };
    if (defect === "impure-diff") {
      const client = { root: process.env["SHELF_ROOT"] ?? "" };
      const found = known.id === "" ? undefined : load(client, known.id);
      if (found !== undefined) save(client, { ...found, input: { ...found.input, pages: found.input.pages + 1 } });
    }
    return standard;
  },
});

async function afterwards(wanted: Input, context: CallContext<Shelf>): Promise<void> {
  if (wanted.then === "fail") throw new ProviderFailure("unknown", "the ink ran out");
  if (wanted.then !== "wait") return;
  if (defect === "deaf-to-stop") {
    context.progress("Waiting for the ink to dry", { waiting: true });
    await new Promise((resolve) => setTimeout(resolve, 30_000));
  }
  await waitFor(context, {
    describe: "the ink to dry",
    everyMs: 50,
    timeoutMs: 60_000,
    check: async () => undefined,
  });
}

export const shelfProvider = defineProvider<Shelf, { root: string; token?: string | undefined }>({
  name: "shelf",
  version: "1.0.0",
  description: "Books in a folder",
  config: z.strictObject({ root: z.string().min(1), token: z.string().optional() }),
  resources: [book],
  clientTokens: true,
  configure({ root, token }, { log }) {
    if (defect === "tells-secrets") log.info(`Configured with ${token}`);
    process.env["SHELF_ROOT"] = root;
    return { root: defect === "forgetful" ? `${root}-${process.pid}` : root };
  },
  identity: ({ root }) => ({ identity: defect === "new-identity" ? `shelf:${process.pid}` : `shelf:${root}` }),
  finalize: async () => {
    if (defect === "failing-finalizer") throw new ProviderFailure("unknown", "no time");
    return [];
  },
});
