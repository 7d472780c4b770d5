import { createServer, request as send, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { errorBody } from "./error-body.ts";
import { checkSignature } from "./signature.ts";

/** `ec2.CreateVpc`, or a pattern of such names. */
export type OperationName = string | RegExp;

export type Fault =
  /** Refused before moto sees it. */
  | {
      readonly error: string;
      readonly status?: number;
      /** A function gets the body that was sent. */
      readonly message?: string | ((body: string) => string);
      readonly retryAfter?: number;
    }
  /** The connection breaks before moto sees it. */
  | "drop"
  /** moto does it, and the connection breaks before the answer. */
  | "lose-reply";

export interface Rule {
  readonly operation: OperationName;
  /** How often. @default 1 */
  readonly times?: number;
  /** How many matching calls pass before. @default 0 */
  readonly after?: number;
  /** Only calls whose body, as it is sent, holds this. */
  readonly body?: string;
  readonly fault: Fault;
}

/** Gets the answer, and the call with what was asked. */
export type Change = (body: string, call: SeenCall) => string | undefined;

export interface SeenCall {
  readonly operation: string;
  readonly status: number;
  readonly body: string;
}

/** moto as the provider under test sees it. */
export interface Proxy {
  readonly url: string;
  /** Calls of the provider, in the order of their answers. */
  readonly calls: SeenCall[];
  /** What requests did that the service's model does not allow. */
  readonly violations: string[];
  fail(rule: Rule): void;
  /** Changes answers of an operation until it returns undefined for good. */
  rewrite(operation: OperationName, change: Change): void;
  /** Called when the answer of a matching call is there and before it is passed on. */
  onAnswer(operation: OperationName, listener: (call: SeenCall) => void | Promise<void>): void;
  /** Forgets faults, rewrites, listeners, calls and violations. */
  reset(): void;
  close(): Promise<void>;
}

export interface ProxyOptions {
  readonly target: string;
  readonly accountId: string;
  /** Called with what is asked before moto gets it. */
  readonly before?: (request: IncomingMessage, body: string) => Promise<void>;
  /** Secret of each access key that is known. Those of assumed roles are added. */
  readonly secrets: Map<string, string>;
}

export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const { target, accountId, secrets } = options;
  const rules: { rule: Rule; seen: number }[] = [];
  const rewrites: { operation: OperationName; change: Change }[] = [];
  const listeners: { operation: OperationName; listener: (call: SeenCall) => void | Promise<void> }[] = [];
  const calls: SeenCall[] = [];
  const violations: string[] = [];

  const faultOf = async (request: IncomingMessage, body: Buffer): Promise<Fault | undefined> => {
    if (rules.length === 0) return undefined;
    const { operation } = await forward(request, body, target, { accountId, onlyName: true });
    for (const entry of rules) {
      if (!matches(entry.rule.operation, operation) || !body.includes(entry.rule.body ?? "")) continue;
      const { after = 0, times = 1, fault } = entry.rule;
      entry.seen += 1;
      if (entry.seen > after && entry.seen <= after + times) return fault;
    }
    return undefined;
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readAll(request);
    const problem = isUnsigned(body) ? undefined : await checkSignature(request, body, secrets);
    if (problem !== undefined) return refuse(request, response, { error: problem, status: 403 });
    const fault = await faultOf(request, body);
    if (fault === "drop") return void request.socket.destroy();
    if (typeof fault === "object") {
      const { message } = fault;
      const text = typeof message === "function" ? message(body.toString("utf8")) : message;
      const { message: _message, ...rest } = fault;
      return refuse(request, response, { ...rest, ...(text === undefined ? {} : { message: text }) });
    }
    await options.before?.(request, body.toString("utf8"));
    const answer = await forward(request, body, target, { accountId, onlyName: false });
    violations.push(...answer.violations.map((text) => `${answer.operation}: ${text}`));
    learnSecret(answer.body, secrets);
    const call = { operation: answer.operation, status: answer.status, body: body.toString("utf8") };
    calls.push(call);
    for (const { operation, listener } of listeners) if (matches(operation, call.operation)) await listener(call);
    if (fault === "lose-reply") return void request.socket.destroy();
    let text = answer.body;
    for (const { operation, change } of rewrites) {
      if (matches(operation, call.operation)) text = Buffer.from(change(text.toString("utf8"), call) ?? text);
    }
    const headers = { ...answer.headers };
    if (request.method !== "HEAD") headers["content-length"] = String(text.length);
    response.writeHead(answer.status, headers);
    response.end(request.method === "HEAD" ? undefined : text);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      // A client that was killed while it sent: nothing was asked.
      if (request.destroyed && !request.complete) return;
      violations.push(`proxy: ${String(error)}`);
      request.socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    violations,
    fail: (rule) => void rules.push({ rule, seen: 0 }),
    rewrite: (operation, change) => void rewrites.push({ operation, change }),
    onAnswer: (operation, listener) => void listeners.push({ operation, listener }),
    reset() {
      for (const list of [rules, rewrites, listeners, calls, violations]) list.length = 0;
    },
    close: () => closeServer(server),
  };
}

/** The one call that comes without credentials. */
function isUnsigned(body: Buffer): boolean {
  return body.includes("Action=AssumeRoleWithWebIdentity");
}

function learnSecret(body: Buffer, secrets: Map<string, string>): void {
  const text = body.toString("utf8");
  const key = /<AccessKeyId>([^<]+)</.exec(text)?.[1];
  const secret = /<SecretAccessKey>([^<]+)</.exec(text)?.[1];
  if (key !== undefined && secret !== undefined) secrets.set(key, secret);
}

function matches(pattern: OperationName, operation: string): boolean {
  return typeof pattern === "string" ? pattern === operation : pattern.test(operation);
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  readonly operation: string;
  readonly violations: readonly string[];
}

async function forward(
  request: IncomingMessage,
  body: Buffer,
  target: string,
  options: { accountId: string; onlyName: boolean },
): Promise<Answer> {
  const headers = { ...request.headers, "x-moto-account-id": options.accountId };
  const extra = options.onlyName ? { "x-wfctl-only-name": "1" } : {};
  return new Promise((resolve, reject) => {
    const outgoing = send(
      `${target}${request.url}`,
      { method: request.method, headers: { ...headers, ...extra, "content-length": body.length } },
      (incoming) => {
        readAll(incoming).then((answer) => {
          const { "x-wfctl-operation": operation, "x-wfctl-violations": found, ...rest } = incoming.headers;
          resolve({
            status: incoming.statusCode ?? 0,
            headers: rest as Record<string, string>,
            body: answer,
            operation: String(operation),
            violations: found === undefined ? [] : (JSON.parse(String(found)) as string[]),
          });
        }, reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

interface Refusal {
  readonly error: string;
  readonly status?: number;
  readonly message?: string;
  readonly retryAfter?: number;
}

function refuse(request: IncomingMessage, response: ServerResponse, fault: Refusal): void {
  const { headers, body } = errorBody(request, fault.error, fault.message ?? "as asked by the test");
  const retry = fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) };
  response.writeHead(fault.status ?? 400, { ...headers, ...retry });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
