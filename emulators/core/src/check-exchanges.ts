import { readOperations, type Operation } from "./description.ts";
import type { Exchange } from "./journal.ts";
import type { JsonObject } from "./json.ts";
import { createRouter } from "./router.ts";
import { createValidator, type Violation } from "./validator.ts";

/** What an exchange did that a description does not allow. */
export interface Finding {
  /** Method and path of the description, such as `POST /v2/vpcs`. */
  readonly operation: string;
  readonly side: "request" | "answer";
  /** Where in the message, as a JSON pointer: `/body/name`, `/query/page`, `/status`. */
  readonly pointer: string;
  readonly message: string;
  /** How many exchanges did so. */
  times: number;
}

/** Where the cloud is known to be another than its description says. */
export interface Deviation {
  readonly operation: RegExp;
  readonly pointer: RegExp;
  readonly message?: RegExp;
  readonly why: string;
}

export interface ExchangeReport {
  /** Exchanges of operations that the description has. */
  readonly checked: number;
  /** `METHOD /path` of those it has not, with how many there were. */
  readonly unknown: ReadonlyMap<string, number>;
  /** Without those that a deviation explains. */
  readonly findings: readonly Finding[];
  /** Deviations that explained something. */
  readonly excused: readonly Deviation[];
}

/**
 * Holds exchanges that a log keeps against another description than the one they were made under. A request that was
 * refused is not judged: a test sent it to be refused. Nor is an answer that a fault made up, or that never came.
 */
export async function checkExchanges(
  description: JsonObject,
  exchanges: AsyncIterable<Exchange> | Iterable<Exchange>,
  deviations: readonly Deviation[] = [],
): Promise<ExchangeReport> {
  const operations = readOperations(description);
  const ids = new Set(operations.map(({ id }) => id));
  const router = createRouter(operations);
  const validator = createValidator(description);
  const unknown = new Map<string, number>();
  const findings = new Map<string, Finding>();
  const excused = new Set<Deviation>();
  let checked = 0;
  for await (const exchange of exchanges) {
    const { method, path, status } = exchange;
    const route = router.match(method, path);
    // A path of another operation may fit the pattern of one that is there.
    const isOther = exchange.operation !== undefined && !ids.has(exchange.operation);
    if (route === undefined || (isOther && route.operation.id !== exchange.operation)) {
      const place = `${method} ${exchange.operation ?? path}`;
      unknown.set(place, (unknown.get(place) ?? 0) + 1);
      continue;
    }
    checked += 1;
    const { operation, params } = route;
    const note = (side: Finding["side"], violations: readonly Violation[]): void => {
      for (const { path: place, message } of violations) {
        const pointer = `/${place.replaceAll(/\[(\d+)\]/g, ".$1").replaceAll(".", "/")}`;
        const title = `${method} ${operation.path}`;
        const excuse = deviations.find(
          (each) => each.operation.test(title) && each.pointer.test(pointer) && (each.message?.test(message) ?? true),
        );
        if (excuse !== undefined) {
          excused.add(excuse);
          continue;
        }
        // Items of one list tell the same.
        const key = [operation.id, side, pointer.replaceAll(/\/\d+(?=\/|$)/g, "/*"), message].join(" ");
        const known = findings.get(key);
        if (known === undefined) {
          findings.set(key, { operation: title, side, pointer, message, times: 1 });
        } else known.times += 1;
      }
    };
    const isRefused = status >= 400 || exchange.refused !== undefined;
    if (!isRefused) {
      const query = readQuery(exchange.query, operation);
      note("request", validator.checkRequest(operation, { params: { ...params }, query, body: exchange.request }));
      // What the emulator's own description does not know either has been told at once, and a test may have meant it.
      const told = exchange.unknown ?? [];
      const strange = validator.unknownKeys(operation, exchange.request).filter((key) => !told.includes(key));
      note(
        "request",
        strange.map((key) => ({ path: `body.${key}`, message: "is unknown to the description" })),
      );
    }
    if (status !== 0 && exchange.fault !== "status") {
      note("answer", validator.checkResponse(operation, status, exchange.response));
    }
  }
  return { checked, unknown, findings: [...findings.values()], excused: [...excused] };
}

/** The query with lists where the operation has lists. */
export function readQuery(text: string, operation: Operation): JsonObject {
  const given = new URLSearchParams(text);
  const query: JsonObject = {};
  for (const key of new Set(given.keys())) {
    const isList = operation.parameters.find(({ name }) => name === key)?.schema["type"] === "array";
    query[key] = isList ? given.getAll(key).flatMap((each) => each.split(",")) : (given.get(key) ?? "");
  }
  return query;
}
