import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { readQuery } from "./check-exchanges.ts";
import { createEmulatorClock, type EmulatorClock } from "./clock.ts";
import { answerControl, controlPrefix, type ControlTarget } from "./control.ts";
import { readOperations, type Operation } from "./description.ts";
import { createFaults, type Fault, type Faults } from "./faults.ts";
import { createJournal, type Exchange, type Journal } from "./journal.ts";
import type { Json, JsonObject } from "./json.ts";
import { createRateCounter, type RateLimit, type RateState } from "./rate-limit.ts";
import { createRouter } from "./router.ts";
import type { Reply, Service } from "./service.ts";
import { sendMessages } from "./websocket.ts";
import { createValidator, type Violation } from "./validator.ts";

export interface EmulatorOptions {
  /** @default 127.0.0.1 */
  readonly host?: string;
  /** @default a free one */
  readonly port?: number;
  /** Tokens that are accepted. @default every token is an account of its own */
  readonly tokens?: readonly string[];
  /** Emulated milliseconds per real one. @default 1 */
  readonly rate?: number;
  /** Every exchange is appended here, a line of JSON each. */
  readonly logFile?: string;
}

export interface Emulator<Account> {
  readonly url: string;
  readonly clock: EmulatorClock;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly limits: RateLimit;
  readonly lag: { lagMs: number };
  /** State of the account; made when it is first asked for. */
  account(name: string): Account;
  /** All accounts that there are. */
  accounts(): Account[];
  /** Everything that must not be there after a test: answers that broke the description, members that it does not know. */
  defects(): string[];
  close(): Promise<void>;
}

/** Starts the server. It listens when this resolves. */
export async function startEmulator<Account>(
  service: Service<Account>,
  options: EmulatorOptions = {},
): Promise<Emulator<Account>> {
  const clock = createEmulatorClock(options.rate === undefined ? {} : { rate: options.rate });
  const faults = createFaults();
  const journal = createJournal(options.logFile);
  const limits: RateLimit = { limit: undefined, windowMs: 60_000 };
  const lag = { lagMs: 0 };
  const countRate = createRateCounter(limits, { now: () => Date.now() });
  const accounts = new Map<string, Account>();
  const account = (name: string): Account => {
    let found = accounts.get(name);
    if (found === undefined) {
      found = service.createAccount(name, { clock, lag });
      accounts.set(name, found);
    }
    return found;
  };
  const router = createRouter(readOperations(service.description));
  const validator = createValidator(service.description);
  const authenticate = service.authenticate ?? bearerToken;
  const state = (): JsonObject =>
    Object.fromEntries([...accounts].map(([name, each]) => [name, service.inspect(each)]));
  const target: ControlTarget = { clock, faults, journal, limits, lag, state, reset: () => accounts.clear() };

  const answer = async (message: IncomingMessage, raw: Buffer): Promise<Answered> => {
    const url = new URL(message.url ?? "/", `http://${message.headers.host ?? "localhost"}`);
    const method = message.method ?? "GET";
    clock.settle();
    const route = router.match(method, url.pathname);
    const fault = faults.take({ method, path: url.pathname, operation: route?.operation.id });
    const base = { url, method, operation: route?.operation, fault };
    if (fault?.effect === "drop") return { ...base, reply: undefined };
    if (fault?.effect === "delay") await new Promise((resolve) => setTimeout(resolve, fault.delayMs ?? 0));
    const name = authenticate(message.headers);
    const isKnown = name !== undefined && (options.tokens === undefined || options.tokens.includes(name));
    const extra = service.extra?.({ method, url, account: isKnown ? account(name) : undefined });
    if (extra !== undefined) return { ...base, reply: extra, isExtra: true };
    if (!isKnown) return { ...base, reply: service.refuse({ kind: "unauthorized" }), isRefused: true };
    const rate = countRate(name);
    const withRate = { ...base, rate, account: name };
    if (!rate.allowed) {
      const retryAfterMs = Math.max(0, rate.resetAt - Date.now());
      return { ...withRate, reply: service.refuse({ kind: "rate_limited", retryAfterMs }), isRefused: true };
    }
    if (route === undefined) {
      const methods = router.methods(url.pathname);
      return { ...withRate, reply: service.refuse({ kind: "no_route", methods }), isRefused: true };
    }
    const { operation } = route;
    const body = parseBody(raw);
    if (body === notJson) return { ...withRate, reply: service.refuse({ kind: "bad_json" }), isRefused: true };
    const request = { body, ...withRate };
    if (fault?.effect === "status") {
      const reply = {
        status: fault.status ?? 500,
        ...(fault.body === undefined ? {} : { body: fault.body }),
        ...(fault.headers === undefined ? {} : { headers: fault.headers }),
      };
      return { ...request, reply, isRefused: true };
    }
    const params: JsonObject = { ...route.params };
    const query = readQuery(url.search, operation);
    const violations = validator.checkRequest(operation, { params, query, body });
    if (violations.length > 0) {
      return { ...request, reply: service.refuse({ kind: "invalid", operation, violations }), refused: violations };
    }
    const unknown = validator.unknownKeys(operation, body);
    const handler = service.handlers[operation.id];
    if (handler === undefined)
      return { ...request, reply: service.refuse({ kind: "not_emulated", operation }), isRefused: true };
    const owner = account(name);
    const reply = await handler({
      operation,
      params: route.params,
      query,
      body: (body ?? {}) as JsonObject,
      headers: message.headers,
      url,
      account: owner,
      clock,
    });
    const defects = validator.checkResponse(operation, reply.status, reply.body as Json | undefined);
    return { ...request, reply, unknown, defects };
  };

  const handle = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const raw = await readAll(message);
    const path = message.url ?? "/";
    if (path.startsWith(controlPrefix)) {
      send(response, await answerControl(target, message.method ?? "GET", path, raw.toString()), {});
      return;
    }
    const answered = await answer(message, raw);
    const { rate, defects = [], fault } = answered;
    const headers = rate === undefined || service.headers === undefined ? {} : service.headers(rate, clock);
    // An answer that breaks the description must not pass for one: the client is to fail, and loudly.
    const reply =
      defects.length > 0
        ? { status: 500, body: { id: "emulator_defect", message: describeDefects(answered.operation, defects) } }
        : answered.reply;
    const isCut = reply === undefined || fault?.effect === "lose_reply" || fault?.effect === "hang";
    journal.record(toExchange(answered, clock, isCut ? undefined : reply, headers));
    if (fault?.effect === "hang") return;
    if (isCut) response.destroy();
    else send(response, reply, headers);
  };

  const server = createServer((message, response) => {
    handle(message, response).catch((error: unknown) => {
      // A client that was killed while it sent: nothing was asked, and nobody hears an answer.
      if (message.destroyed && !message.complete) return;
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      journal.record(crashOf(message, clock, text));
      send(response, { status: 500, body: { id: "emulator_crash", message: text } }, {});
    });
  });
  // The server forgets connections that were upgraded.
  const upgraded = new Set<Duplex>();
  server.on("upgrade", (message, socket) => {
    upgraded.add(socket);
    socket.once("close", () => upgraded.delete(socket));
    const messages = service.stream?.(new URL(message.url ?? "/", `http://${message.headers.host ?? "localhost"}`));
    if (messages === undefined) socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
    else sendMessages(message, socket, messages).catch(() => socket.destroy());
  });
  await listen(server, options.port ?? 0, options.host ?? "127.0.0.1");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host ?? "127.0.0.1"}:${port}`,
    clock,
    faults,
    journal,
    limits,
    lag,
    account,
    accounts: () => [...accounts.values()],
    defects: () => listDefects(journal.exchanges()),
    async close() {
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Answered {
  readonly url: URL;
  readonly method: string;
  readonly operation: Operation | undefined;
  readonly fault: Fault | undefined;
  /** Undefined: the connection is cut. */
  readonly reply: Reply | undefined;
  readonly account?: string;
  readonly rate?: RateState;
  readonly body?: Json | undefined;
  readonly refused?: readonly Violation[];
  readonly unknown?: readonly string[];
  readonly defects?: readonly Violation[];
  readonly isRefused?: boolean;
  readonly isExtra?: boolean;
}

function toExchange(
  answered: Answered,
  clock: EmulatorClock,
  reply: Reply | undefined,
  headers: Readonly<Record<string, string>>,
): Exchange {
  const { url, method, operation, account, body, fault, refused, unknown = [], defects = [] } = answered;
  const isBinary = answered.isExtra === true || reply?.body instanceof Uint8Array;
  return {
    at: new Date(clock.now()).toISOString(),
    method,
    path: url.pathname,
    query: url.search.slice(1),
    operation: operation?.id,
    account,
    request: body,
    status: reply?.status ?? 0,
    headers: { ...headers, ...reply?.headers },
    response: isBinary ? undefined : structuredClone(reply?.body as Json | undefined),
    ...(fault === undefined ? {} : { fault: fault.effect }),
    ...(refused === undefined ? {} : { refused }),
    ...(unknown.length === 0 ? {} : { unknown }),
    ...(defects.length === 0 ? {} : { defects }),
  };
}

function crashOf(message: IncomingMessage, clock: EmulatorClock, text: string): Exchange {
  const [path = "", query = ""] = (message.url ?? "").split("?");
  const defects = [{ path: "handler", message: text }];
  return {
    at: new Date(clock.now()).toISOString(),
    method: message.method ?? "",
    path,
    query,
    operation: undefined,
    account: undefined,
    request: undefined,
    status: 500,
    headers: {},
    response: undefined,
    defects,
  };
}

function listDefects(exchanges: readonly Exchange[]): string[] {
  return exchanges.flatMap(({ method, path, defects = [], unknown = [] }) => [
    ...defects.map((defect) => `${method} ${path}: answer: ${defect.path} ${defect.message}`),
    ...unknown.map((key) => `${method} ${path}: request: "${key}" is unknown to the description`),
  ]);
}

function describeDefects(operation: Operation | undefined, defects: readonly Violation[]): string {
  return `The emulator's answer to ${operation?.id ?? "?"} breaks the description: ${defects.map(({ path, message }) => `${path} ${message}`).join("; ")}`;
}

const notJson = Symbol("not JSON");

function parseBody(raw: Buffer): Json | undefined | typeof notJson {
  if (raw.length === 0) return undefined;
  try {
    return JSON.parse(raw.toString()) as Json;
  } catch {
    return notJson;
  }
}

function bearerToken({ authorization }: { authorization?: string | undefined }): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
}

function send(response: ServerResponse, reply: Reply, headers: Readonly<Record<string, string>>): void {
  const { status, body } = reply;
  const content =
    body === undefined ? undefined : body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    ...(content === undefined
      ? {}
      : { "content-type": "application/json; charset=utf-8", "content-length": content.length }),
    ...headers,
    ...reply.headers,
  });
  response.end(content);
}

async function readAll(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
}
