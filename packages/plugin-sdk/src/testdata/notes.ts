import {
  alreadyExists,
  defineProvider,
  defineResource,
  notFound,
  ProviderFailure,
  sealValue,
  serve,
  waitFor,
  z,
  type FailureClass,
} from "../index.ts";

/** A provider in memory, with a door for each way a call can go. */

interface Note {
  readonly id: string;
  readonly name: string;
  readonly token: string;
  owner: string | undefined;
  input: NoteInput;
}

interface Store {
  readonly notes: Map<string, Note>;
  readonly account: string;
}

const noteInput = z.strictObject({
  text: z.string(),
  shelf: z.string().default("main"),
  copies: z.number().int().min(1).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  secret: z.string().optional(),
  fail: z.string().optional(),
  partial: z.boolean().optional(),
});
type NoteInput = z.infer<typeof noteInput>;

const note = defineResource<Store>()({
  type: "test.note",
  description: "A note in memory",
  input: noteInput,
  outputs: z.object({ text: z.string(), secret: z.string().optional(), pid: z.number() }),
  forceNew: ["shelf"],
  sensitiveInputs: ["secret"],
  sensitiveOutputs: ["secret"],
  writeOnly: ["secret"],
  createFirst: true,
  convergentCreate: true,
  settleMs: 5,
  permissions: ["notes:Write", "notes:Read"],
  timeouts: { create: 60_000 },
  typicalMs: { create: 20 },

  async create(desired, context) {
    const { input, name } = desired;
    const same = [...context.client.notes.values()].find((each) => each.token === context.clientToken);
    if (same !== undefined) return { ...stateOf(same), created: false };
    const clash = [...context.client.notes.values()].some((each) => each.name === name);
    if (clash) return alreadyExists(`Note ${name} is there already`);
    if (input.partial) context.partial(`half-${name}`, { text: input.text });
    switch (input.fail) {
      case undefined:
        break;
      case "crash":
        throw new Error("boom");
      case "type":
        return null as never;
      case "exit":
        process.exit(9);
        break;
      case "print":
        process.stdout.write("1|1|tcp|nonsense\n");
        console.log("printed %s", "by a library");
        break;
      case "wait":
        context.partial(`half-${name}`, { text: input.text });
        await waitFor(context, {
          describe: `note ${name} to dry`,
          everyMs: 20,
          timeoutMs: 60_000,
          check: async () => undefined,
        });
        break;
      case "deaf":
        await new Promise((resolve) => setTimeout(resolve, 30_000));
        break;
      case "outputs":
        // Told once it is stored.
        break;
      case "limited":
        for (let call = 0; call < 3; call += 1) await context.limit("slow", async () => undefined);
        break;
      default: {
        const [failureClass, retryAfter] = input.fail.split(":");
        throw new ProviderFailure(failureClass as FailureClass, "as asked", {
          ...(retryAfter === undefined ? {} : { retryAfterMs: Number(retryAfter) }),
        });
      }
    }
    const made: Note = { id: `id-${name}`, name, token: context.clientToken, owner: context.owner, input };
    context.client.notes.set(made.id, made);
    return { ...stateOf(made), ...badOutputs(input), created: true };
  },
  async read({ id, name }, { client }) {
    const found = client.notes.get(id) ?? [...client.notes.values()].find((each) => id === "" && each.name === name);
    return found === undefined ? notFound() : stateOf(found);
  },
  async update({ id }, { input }, { client }) {
    const found = client.notes.get(id);
    if (found === undefined) return notFound(`note ${id}`);
    found.input = input;
    return { ...stateOf(found), ...badOutputs(input) };
  },
  async delete({ id }, { client }) {
    const found = client.notes.get(id);
    if (found === undefined) return notFound();
    if (found.input.fail === "stuck") throw new ProviderFailure("transient", "still in use");
    client.notes.delete(id);
    return undefined;
  },
  async lookup({ token }, { client }) {
    const found = [...client.notes.values()].find((each) => each.token === token);
    return found === undefined ? notFound() : stateOf(found);
  },
  async *list({ client }) {
    for (const each of client.notes.values()) yield stateOf(each);
  },
  async setOwner({ id }, owner, { client }) {
    const found = client.notes.get(id);
    if (found === undefined) return notFound();
    found.owner = owner;
    return undefined;
  },
  async scale({ id }, replicas, { client }) {
    const found = client.notes.get(id);
    if (found === undefined) return notFound();
    found.input = { ...found.input, copies: replicas };
    return stateOf(found);
  },
  sizing: ({ size }) => (size === "s" ? { instanceType: "tiny", specs: { copies: 2 } } : undefined),
});

/** A list where an object must be, with a secret in it. */
function badOutputs(input: Note["input"]): { outputs?: never } {
  return input.fail === "outputs" ? { outputs: [input.secret] as never } : {};
}

function stateOf(each: Note) {
  const { secret, ...inputs } = each.input;
  return {
    id: each.id,
    name: each.name,
    owner: each.owner,
    outputs: { text: each.input.text, pid: process.pid, ...(secret === undefined ? {} : { secret }) },
    inputs,
    revisitAt: new Date("2030-01-01T00:00:00Z"),
  };
}

const plain = defineResource({
  type: "test.plain",
  description: "A type with nothing optional",
  input: z.strictObject({ value: z.string() }),
  outputs: z.object({ seal: z.string() }),
  create: async ({ input, name }) => ({ id: name, outputs: { seal: sealValue(input.value) } }),
  read: async () => notFound(),
  update: async () => notFound(),
  delete: async () => undefined,
});

export const notesProvider = defineProvider<Store, { account: string; delayMs?: number | undefined }>({
  name: "notes",
  version: "1.2.3",
  description: "Notes in memory",
  config: z.strictObject({ account: z.string().min(1), delayMs: z.number().optional() }),
  resources: [note, plain],
  limits: { slow: { ratePerSecond: 10, burst: 1 } },
  clientTokens: true,
  configure: ({ account }) => ({ notes: new Map(), account }),
  identity: ({ account }) => ({ identity: `notes:${account}`, labels: { account } }),
  finalize: async (planId) => (planId === "bad" ? [{ resource: "test.note", action: "finalize", error: "no ink" }] : []),
  regions: async () => [{ name: "desk" }],
});

if (process.argv[1] === import.meta.filename) await serve(notesProvider);
