/**
 * Evaluates one stack program: `stack-program FILE [ENVIRONMENT]`, with a channel to its parent. Started by
 * `evaluate-program.ts`; ends when it has replied.
 */
import { registerHooks } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describeFailure } from "./load-failure.ts";
import * as stackApi from "@wfctl/stack";
import type { Json } from "@wfctl/model";
import type { ProgramPlace, ProgramReply } from "./protocol.ts";

const apiKey = Symbol.for("wfctl.stack");
const apiUrl = "wfctl:stack";

/** `@wfctl/stack` is the one of this program, wherever the stack's file is. */
function serveStackApi(): void {
  (globalThis as { [apiKey]?: unknown })[apiKey] = stackApi;
  const names = Object.keys(stackApi).join(", ");
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "@wfctl/stack" ? { url: apiUrl, format: "module", shortCircuit: true } : next(specifier, context),
    load: (url, context, next) =>
      url === apiUrl
        ? {
            format: "module",
            source: `export const { ${names} } = globalThis[Symbol.for("wfctl.stack")];`,
            shortCircuit: true,
          }
        : next(url, context),
  });
}

async function evaluate(file: string, environment: string | undefined): Promise<ProgramReply> {
  let program: Partial<stackApi.StackProgram> | undefined;
  try {
    const module = (await import(pathToFileURL(file).href)) as { default?: Partial<stackApi.StackProgram> };
    program = module.default;
  } catch (error) {
    return failure("cannot be loaded", error, file);
  }
  if (program?.wfctlStack !== 1 || program.build === undefined) {
    return {
      problem: "The program exports no stack by default",
      hint: 'Write export default defineStack({…}, (stack) => {…}), with defineStack from "@wfctl/stack"',
    };
  }
  try {
    const { document, places, importPlaces } = await program.build(environment);
    const withPaths = (all: typeof places): (ProgramPlace | null)[] =>
      all.map((place) => (place === undefined ? null : withPath(place)));
    return { document: document as Json, places: withPaths(places), importPlaces: withPaths(importPlaces) };
  } catch (error) {
    return failure("failed", error, file);
  }
}

interface NotPlain {
  readonly message: string;
  readonly place?: ProgramPlace;
}

function failure(what: string, thrown: unknown, file: string): ProgramReply {
  // An error of the program's own copy of the API, so of no class that is known here.
  const { name, problems } = (thrown ?? {}) as { name?: unknown; problems?: readonly NotPlain[] };
  if (name === "NotPlainDataError" && Array.isArray(problems)) {
    const [first, ...more] = (problems as readonly NotPlain[]).map(({ message, place }) => ({
      problem: `The program ${what}: ${message}`,
      hint: "Give text, numbers, true or false, lists, plain objects or references",
      ...(place === undefined ? {} : { place: withPath(place) }),
    }));
    if (first !== undefined) return { ...first, more };
  }
  const { text, hint, place } = describeFailure(thrown, file);
  return { problem: `The program ${what}: ${text}`, hint, ...(place === undefined ? {} : { place }) };
}

function withPath(place: ProgramPlace): ProgramPlace {
  return place.file.startsWith("file:") ? { ...place, file: fileURLToPath(place.file) } : place;
}

/** What nobody awaits may fail, or declare something, after the stack was built: it gets this long to do so. */
const strayLimitMs = 1_000;

/** Resolves with the first failure of something that the program does not await; at the end of the process with that. */
function watchStrays(file: string): Promise<ProgramReply> {
  return new Promise((resolve) => {
    const fail = (thrown: unknown): void => resolve(failure("failed in what it does not await", thrown, file));
    process.on("unhandledRejection", fail);
    process.on("uncaughtException", fail);
    process.once("beforeExit", () =>
      resolve({
        problem: "The program waits for what never comes",
        hint: "Look for an await of a promise that nothing ends",
      }),
    );
  });
}

/** Waits until the program has nothing under way any more. */
async function settle(): Promise<void> {
  const until = performance.now() + strayLimitMs;
  do {
    await new Promise((resolve) => setImmediate(resolve));
  } while (isBusy() && performance.now() < until);
}

/** The channel to the parent and the standard streams are always there. */
function isBusy(): boolean {
  return process.getActiveResourcesInfo().some((name) => !/^(?:PipeWrap|TTYWrap|Immediate)$/.test(name));
}

async function evaluateWhole(file: string, environment: string | undefined): Promise<ProgramReply> {
  const reply = await evaluate(file, environment);
  if (!("problem" in reply)) await settle();
  return reply;
}

const [file = "", environment] = process.argv.slice(2);
serveStackApi();
const stray = watchStrays(file);
void Promise.race([stray, evaluateWhole(file, environment)]).then((reply) => {
  process.send?.(reply, () => process.exit(0));
});
