import { isJsonObject, pathToPointer, type Diagnostic, type ErrorCode, type SourceLocation } from "@wfctl/model";
import { suggestHint } from "./suggest.ts";
import type { Path, PlacePart, SourceFile } from "./source/source-file.ts";

/** A place in a stack file. */
export interface Spot {
  readonly file: SourceFile;
  readonly path: Path;
}

export interface Finding {
  readonly summary: string;
  readonly hint?: string;
  /** @default CONFIG_INVALID */
  readonly code?: ErrorCode;
  /** @default error */
  readonly severity?: Diagnostic["severity"];
  /** @default the name of the module that the spot is in */
  readonly address?: string;
  /** @default the pointer of the spot inside its module, or inside the file */
  readonly pointer?: string;
  readonly part?: PlacePart;
}

/** Gathers what is wrong. */
export interface Reporter {
  /** Names that expressions have for variables without a value, where none is required: what needs them cannot be judged. */
  readonly absentVariables: Set<string>;
  report(spot: Spot, finding: Finding): void;
  add(diagnostic: Diagnostic): void;
  readonly hasErrors: boolean;
  /** What a misspelt name most likely meant, for a hint. Gives the fallback once many were looked up: each costs a pass over all names. */
  hintFor(name: string, candidates: Iterable<string>, fallback: string): string;
  /** By file in the order they were read, then by line and column; what was said twice is there once. */
  sorted(files: readonly SourceFile[]): Diagnostic[];
}

/** How many misspelt names are compared with all names that exist: each comparison is linear in them. */
const maxSuggestions = 100;

export function createReporter(): Reporter {
  const diagnostics: Diagnostic[] = [];
  let errors = 0;
  let suggestions = 0;
  const add = (diagnostic: Diagnostic): void => {
    if (diagnostic.severity === "error") errors += 1;
    diagnostics.push(diagnostic);
  };
  return {
    absentVariables: new Set(),
    add,
    report(spot, finding) {
      add(findingAt(spot, finding));
    },
    hintFor(name, candidates, fallback) {
      suggestions += 1;
      return suggestions > maxSuggestions ? fallback : suggestHint(name, [...candidates], fallback);
    },
    get hasErrors() {
      return errors > 0;
    },
    sorted(files) {
      const order = new Map(files.map((file, index) => [file.label, index]));
      const fileRank = (location: SourceLocation | undefined): number => order.get(location?.file ?? "") ?? -1;
      const seen = new Set<string>();
      const distinct = diagnostics.filter((diagnostic) => {
        const key = JSON.stringify(diagnostic);
        return seen.has(key) ? false : seen.add(key);
      });
      return distinct.toSorted(
        (a, b) =>
          fileRank(a.source) - fileRank(b.source) ||
          (a.source?.line ?? 0) - (b.source?.line ?? 0) ||
          (a.source?.column ?? 0) - (b.source?.column ?? 0),
      );
    },
  };
}

/** The diagnostic of a finding, with address and pointer taken from where the spot is. */
export function findingAt(spot: Spot, finding: Finding): Diagnostic {
  const inModule = spot.path[0] === "modules" && typeof spot.path[1] === "number";
  // What an environment gives to all resources is wrong once, not once for each of them.
  const shared = spot.path[0] === "environments";
  const named = inModule ? moduleName(spot.file, spot.path[1] as number) : undefined;
  const address = shared ? undefined : (finding.address ?? named);
  const pointer = shared ? undefined : finding.pointer;
  return {
    severity: finding.severity ?? "error",
    code: finding.code ?? "CONFIG_INVALID",
    summary: finding.summary,
    ...(finding.hint === undefined ? {} : { hint: finding.hint }),
    ...(address === undefined ? {} : { address }),
    path: pointer ?? pathToPointer(address === undefined ? spot.path : spot.path.slice(inModule ? 2 : 0)),
    source: spot.file.locate(spot.path, finding.part),
  };
}

function moduleName(file: SourceFile, index: number): string | undefined {
  const modules = isJsonObject(file.value) ? file.value["modules"] : undefined;
  const module: unknown = Array.isArray(modules) ? modules[index] : undefined;
  const name = isJsonObject(module) ? module["name"] : undefined;
  return typeof name === "string" && name !== "" ? name : undefined;
}
