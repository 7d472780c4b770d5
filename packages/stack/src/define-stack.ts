import type { BuiltStack, DeclarationPlace } from "./document.ts";
import { createGroup, withoutAbsent, type StackGroup } from "./group.ts";
import type { StackSettings } from "./types.ts";

/** What `export default defineStack(…)` exports: `wfctl` builds it for the environment it works on. */
export interface StackProgram {
  readonly wfctlStack: 1;
  build(environment: string | undefined): Promise<BuiltStack>;
}

/**
 * A stack as a program. `declare` is called with the stack to fill; it may be async, but must not depend on the clock, on
 * chance or on the network: it is evaluated twice before anything is done, and two different results are an error.
 */
export function defineStack(
  settings: StackSettings,
  declare: (stack: StackGroup) => void | Promise<void>,
): StackProgram {
  return {
    wfctlStack: 1,
    async build(environment) {
      const modules: { readonly [key: string]: unknown }[] = [];
      const places: (DeclarationPlace | undefined)[] = [];
      const imports: { readonly to: string; readonly id: unknown }[] = [];
      const importPlaces: (DeclarationPlace | undefined)[] = [];
      const outputs: Record<string, unknown> = {};
      let isComplete = false;
      const refuseLate = (): void => {
        if (isComplete) throw new Error("This is declared after the stack was complete: await what comes before it");
      };
      const group = createGroup(
        {
          add(module, place) {
            refuseLate();
            modules.push(module);
            places.push(place);
          },
          importObject(request, place) {
            refuseLate();
            imports.push(request);
            importPlaces.push(place);
          },
          output(name, value, { sensitive, description }) {
            refuseLate();
            if (name in outputs) throw new Error(`The output "${name}" is declared twice`);
            outputs[name] =
              sensitive === undefined && description === undefined && !isMapping(value)
                ? value
                : withoutAbsent({ value, sensitive, description });
          },
        },
        "",
        environment,
      );
      await declare(group);
      isComplete = true;
      const { onFailure, ...top } = settings;
      const document = withoutAbsent({
        ...top,
        on_failure: onFailure,
        modules,
        import: imports.length === 0 ? undefined : imports,
        outputs: Object.keys(outputs).length === 0 ? undefined : outputs,
      });
      // References become text, and what JSON cannot hold does not come through unseen.
      const problems: NotPlain[] = [];
      const whole = plain(document, [], [], problems);
      if (problems.length > 0) {
        throw new NotPlainDataError(
          problems.map(({ path, what }) => {
            const [list, index] = path;
            const all = list === "modules" ? places : list === "import" ? importPlaces : [];
            const place = all[Number(index)];
            const message = `The value at ${path.join(".") || "the top"} is ${what}, expected plain data`;
            return { message, ...(place === undefined ? {} : { place }) };
          }),
        );
      }
      return { document: whole as BuiltStack["document"], places, importPlaces };
    },
  };
}

/** Values of a program that JSON cannot hold, each with the place of the declaration that it stands in. */
class NotPlainDataError extends TypeError {
  readonly problems: readonly { readonly message: string; readonly place?: DeclarationPlace }[];

  constructor(problems: NotPlainDataError["problems"]) {
    super(problems[0]?.message ?? "A value is no plain data");
    this.name = "NotPlainDataError";
    this.problems = problems;
  }
}

function isMapping(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

interface NotPlain {
  readonly path: readonly (string | number)[];
  readonly what: string;
}

/** Most values of a program that are told as no data. */
const maxProblems = 20;

/** How deep lists and objects may be nested. */
const maxDepth = 200;

function plain(
  value: unknown,
  path: readonly (string | number)[],
  inside: readonly unknown[],
  problems: NotPlain[],
): unknown {
  const refuse = (what: string): null => {
    if (problems.length < maxProblems) problems.push({ path, what });
    return null;
  };
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : refuse(String(value));
  if (typeof value !== "object") return refuse(`a ${typeof value}`);
  if (inside.includes(value)) return refuse("inside of itself");
  if (inside.length > maxDepth) return refuse(`nested more than ${maxDepth} levels deep`);
  const within = [...inside, value];
  if (Array.isArray(value)) return value.map((item, index) => plain(item, [...path, index], within, problems));
  const { toJSON } = value as { toJSON?: () => unknown };
  if (Object.getPrototypeOf(value) === null && typeof toJSON === "function") return toJSON();
  if (value instanceof Promise) return refuse("a promise");
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype !== Object.prototype && prototype !== null) return refuse("an object of a class");
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => [key, plain(member, [...path, key], within, problems)]),
  );
}
