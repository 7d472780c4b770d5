import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stackSchema } from "./stack-schema.ts";

/** A real editor's server, spoken to as an editor does: headers, then JSON-RPC. */
const server = fileURLToPath(
  new URL("../../../../node_modules/yaml-language-server/bin/yaml-language-server", import.meta.url),
);
const database = {
  type: "object",
  properties: {
    engine: { type: "string", enum: ["postgres", "mysql"], description: "Kind of database" },
    storage_gb: { type: "integer", minimum: 10 },
  },
  required: ["engine"],
  additionalProperties: false,
};

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly uri?: string; readonly diagnostics?: readonly { readonly message: string }[] };
  readonly result?: unknown;
}

let child: ChildProcess;
let folder: string;
const waiting = new Set<(message: Message) => void>();
let nextId = 1;

function send(message: object): void {
  const text = JSON.stringify({ jsonrpc: "2.0", ...message });
  child.stdin?.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

function next(fits: (message: Message) => boolean): Promise<Message> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the language server does not answer")), 20_000);
    const look = (message: Message): void => {
      if (!fits(message)) return;
      clearTimeout(timer);
      waiting.delete(look);
      resolve(message);
    };
    waiting.add(look);
  });
}

async function request(method: string, params: object): Promise<unknown> {
  const id = nextId;
  nextId += 1;
  const answer = next((message) => message.id === id && message.method === undefined);
  send({ id, method, params });
  return (await answer).result;
}

/** Opens a text with a `|` where the cursor is; gives what is offered there, and what is wrong. */
async function open(name: string, text: string): Promise<{ labels: string[]; problems: string[] }> {
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
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "wfctl-lsp-"));
  writeFileSync(
    join(folder, "stack.schema.json"),
    JSON.stringify(stackSchema(new Map([["infra.database", database]]))),
  );
  child = spawn(process.execPath, [server, "--stdio"], { cwd: folder, stdio: ["pipe", "pipe", "ignore"] });
  let buffer = Buffer.alloc(0);
  child.stdout?.on("data", (chunk: Buffer) => {
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
}, 30_000);

afterAll(async () => {
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
  rmSync(folder, { recursive: true, force: true });
});

const head = "modules:\n  - name: db\n    type: infra.database\n";

test("an editor offers the keys of a resource's type, and those that wfctl reads", async () => {
  const { labels } = await open("keys.yaml", `${head}    config:\n      engine: postgres\n      |\n`);
  expect(labels).toEqual(expect.arrayContaining(["storage_gb", "size", "depends_on"]));
});

test("an editor offers words, types and the keys at the top", async () => {
  expect((await open("words.yaml", `${head}    config:\n      engine: |\n`)).labels).toEqual(
    expect.arrayContaining(["postgres", "mysql"]),
  );
  expect((await open("types.yaml", "modules:\n  - name: db\n    type: |\n")).labels).toContain("infra.database");
  expect((await open("top.yaml", "name: x\n|\n")).labels).toEqual(
    expect.arrayContaining(["modules", "variables", "environments", "on_failure"]),
  );
});

test("an editor marks unknown keys and wrong values, and takes references for every value", async () => {
  const wrong = await open("wrong.yaml", `${head}    config: {engine: oracle, storge_gb: 10}\n`);
  expect(wrong.problems.join("\n")).toMatch(/storge_gb/);
  expect(wrong.problems.join("\n")).toMatch(/postgres/);
  const good = await open(
    "good.yaml",
    `variables: {gb: 20}\n${head}    config: {engine: postgres, storage_gb: "\${var.gb}", size: "\${{ 'l' }}"}\n`,
  );
  expect(good.problems).toEqual([]);
});
