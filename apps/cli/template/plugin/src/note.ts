import { alreadyExists, defineResource, notFound, waitFor, z, type CallContext } from "@wfctl/plugin-sdk";
import type { Api, Note } from "./api.ts";
import { refused } from "./errors.ts";

type Context = CallContext<Api>;

/** A note on a shelf. Its id is the one that the cloud gave it. */
export const note = defineResource<Api>()({
  type: "infra.note",
  description: "A note on a shelf",
  input: z.strictObject({
    text: z.string().min(1),
    shelf: z.string().min(1).default("main"),
    dry_seconds: z.number().int().min(0).default(0).describe("How long the ink takes"),
  }),
  outputs: z.object({ id: z.string(), text: z.string(), shelf: z.string() }),
  // A note cannot be moved: another shelf means another note.
  forceNew: ["shelf"],
  convergentCreate: true,
  // Reads and lookups see a note at once.
  settleMs: 1,
  timeouts: { create: 300_000, read: 30_000, update: 60_000, delete: 60_000 },

  async create({ name, input }, context) {
    const { client: api, clientToken, owner } = context;
    // Once for each token: the same action, asked twice, makes one note.
    const own = await call(context, () => api.findByToken(clientToken));
    if (own === undefined && (await call(context, () => api.findByName(name))) !== undefined) {
      return alreadyExists(`Note "${name}" is there already and was made by someone else`);
    }
    // Token and owner travel inside the call that creates: there is no moment at which the note carries neither.
    const made = own ?? (await call(context, () => api.create({ name, token: clientToken, owner, ...input })));
    // From here on a failure says what it leaves.
    context.partial(made.id, outputsOf(made));
    await waitUntilDry(made, context);
    return { ...stateOf(made), created: own === undefined };
  },

  async read(ref, context) {
    const found = await find(ref, context);
    return found === undefined ? notFound() : stateOf(found);
  },

  async update(ref, { input }, context) {
    const found = await find(ref, context);
    if (found === undefined) return notFound();
    const changed = await call(context, () => context.client.update(found.id, input));
    await waitUntilDry(changed, context);
    return stateOf(changed);
  },

  async delete(ref, context) {
    const found = await find(ref, context);
    if (found === undefined) return notFound();
    await call(context, () => context.client.remove(found.id));
    return undefined;
  },

  /** `notFound()` must be certain: the host makes the note again. */
  async lookup({ token }, context) {
    const found = await call(context, () => context.client.findByToken(token));
    return found === undefined ? notFound() : stateOf(found);
  },

  async *list(context) {
    for (const each of await call(context, () => context.client.list())) yield stateOf(each);
  },
});

/** One call to the cloud, within its rate, its errors in the host's words. */
function call<T>(context: Context, send: () => Promise<T>): Promise<T> {
  return context.limit("notes", () => send().catch(refused));
}

/** Without an id the host asks for the note by its name. */
function find({ id, name }: { id: string; name: string }, context: Context): Promise<Note | undefined> {
  return call(context, () => (id === "" ? context.client.findByName(name) : context.client.get(id)));
}

async function waitUntilDry({ id, name }: Note, context: Context): Promise<void> {
  await waitFor(context, {
    describe: `note "${name}" to be dry`,
    everyMs: 200,
    timeoutMs: 120_000,
    check: async () => ((await call(context, () => context.client.isDry(id))) ? true : undefined),
  });
}

function stateOf(note: Note) {
  const { id, name, owner, text, shelf, dry_seconds } = note;
  // `inputs` is the note as it is now, in the shape of the input: drift and undo compare with it.
  return { id, name, owner, outputs: outputsOf(note), inputs: { text, shelf, dry_seconds } };
}

function outputsOf({ id, text, shelf }: Note) {
  return { id, text, shelf };
}
