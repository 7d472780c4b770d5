import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** A real editor's server, spoken to as an editor does: headers, then JSON-RPC. */
export interface LanguageServer {
  /** Opens a text with a `|` where the cursor is; gives what is offered there, and what is wrong. */
  open(name: string, text: string): Promise<{ readonly labels: string[]; readonly problems: string[] }>;
  end(): Promise<void>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly uri?: string; readonly diagnostics?: readonly { readonly message: string }[] };
  readonly result?: unknown;
}

const program = fileURLToPath(
  new URL("../../../../node_modules/yaml-language-server/bin/yaml-language-server", import.meta.url),
);
const answerMs = 30_000;

/** Starts the YAML language server in a folder, with a schema that every text it opens names. */
export async function startLanguageServer(folder: string, schema: string): Promise<LanguageServer> {
  writeFileSync(join(folder, "stack.schema.json"), schema);
  const child = spawn(process.execPath, [program, "--stdio"], { cwd: folder, stdio: ["pipe", "pipe", "ignore"] });
  const waiting = new Set<(message: Message) => void>();
  let nextId = 1;

  const send = (message: object): void => {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  };
  const next = (fits: (message: Message) => boolean): Promise<Message> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("The language server does not answer")), answerMs);
      const look = (message: Message): void => {
        if (!fits(message)) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve(message);
      };
      waiting.add(look);
    });
  const request = async (method: string, params: object): Promise<unknown> => {
    const id = nextId;
    nextId += 1;
    const answer = next((message) => message.id === id && message.method === undefined);
    send({ id, method, params });
    return (await answer).result;
  };

  let buffer = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      const end = buffer.indexOf("\r\n\r\n");
      const length = Number(/Content-Length: (\d+)/i.exec(buffer.subarray(0, end).toString())?.[1]);
      if (end < 0 || buffer.length < end + 4 + length) return;
      const message = JSON.parse(buffer.subarray(end + 4, end + 4 + length).toString()) as Message;
      buffer = buffer.subarray(end + 4 + length);
      // What the server asks the editor for, it does without.
      if (message.id !== undefined && message.method !== undefined) send({ id: message.id, result: null });
      for (const look of waiting) look(message);
    }
  });
  await request("initialize", {
    processId: process.pid,
    rootUri: pathToFileURL(folder).href,
    capabilities: { textDocument: { completion: { completionItem: {} } } },
    initializationOptions: {},
  });
  send({ method: "initialized", params: {} });
  send({
    method: "workspace/didChangeConfiguration",
    params: { settings: { yaml: { validate: true, completion: true, schemaStore: { enable: false } } } },
  });

  return {
    async open(name, text) {
      const uri = pathToFileURL(join(folder, name)).href;
      const cursor = text.indexOf("|");
      const before = text.slice(0, Math.max(0, cursor)).split("\n");
      const diagnostics = next(
        (message) => message.method === "textDocument/publishDiagnostics" && message.params?.uri === uri,
      );
      const content = `# yaml-language-server: $schema=stack.schema.json\n${text.replace("|", "")}`;
      send({
        method: "textDocument/didOpen",
        params: { textDocument: { uri, languageId: "yaml", version: 1, text: content } },
      });
      const problems = ((await diagnostics).params?.diagnostics ?? []).map(({ message }) => message);
      if (cursor < 0) return { labels: [], problems };
      const position = { line: before.length, character: before.at(-1)?.length ?? 0 };
      const offered = (await request("textDocument/completion", { textDocument: { uri }, position })) as {
        items: { label: string }[];
      };
      return { labels: offered.items.map(({ label }) => label), problems };
    },
    async end() {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
    },
  };
}
