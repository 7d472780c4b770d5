import { readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  getAtPointer,
  pathToPointer,
  type Json,
  type JsonObject,
  type ResourceRecord,
  type StackState,
} from "@wfctl/model";

export interface SecretFinding {
  readonly severity: "error" | "warning";
  /** Resource or provider module. */
  readonly name: string;
  readonly problem: string;
}

/** Shorter texts occur everywhere by chance. */
const minLength = 8;
const secretName = /(password|passwd|secret|token|api[_-]?key|private[_-]?key|connection[_-]?string|dsn)$/i;

interface Secret {
  readonly name: string;
  readonly where: string;
  readonly value: string;
}

/**
 * Looks for secrets in clear: each known secret value in what anybody can read of the state without its key, and in the
 * bytes of its files. Values under telling names that nothing marks as secret are warnings.
 */
export function auditSecrets(
  opened: StackState,
  sealed: StackState,
  files: readonly { readonly path: string; readonly bytes: Buffer }[],
): SecretFinding[] {
  const findings: SecretFinding[] = [];
  const secrets = [...secretsOf(opened)];
  const readable = JSON.stringify({
    records: [...sealed.records.values()],
    unknown: [...sealed.unknown.values()],
    providerConfigs: [...sealed.providerConfigs],
    openRuns: sealed.openRuns.map((run) => [run.openIntents, run.sentIntents, [...run.outcomes.values()]]),
  });
  for (const { name, where, value } of secrets) {
    const escaped = JSON.stringify(value).slice(1, -1);
    if (readable.includes(escaped))
      findings.push({ severity: "error", name, problem: `${where} can be read without the key` });
    for (const { path, bytes } of files) {
      if (bytes.includes(value) || bytes.includes(escaped)) {
        findings.push({ severity: "error", name, problem: `${where} stands in clear in ${path}` });
      }
    }
  }
  for (const record of opened.records.values()) {
    for (const key of unmarkedOutputs(record)) {
      findings.push({
        severity: "warning",
        name: record.name,
        problem: `the output "${key}" looks secret and is not marked as such by its provider`,
      });
    }
  }
  return findings;
}

/** The files of a local state: database, its log, and what an emergency left beside it. */
export function stateFiles(path: string): { readonly path: string; readonly bytes: Buffer }[] {
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(basename(path)))
    .map((name) => join(dirname(path), name))
    .map((file) => ({ path: file, bytes: readFileSync(file) }));
}

function* secretsOf(state: StackState): Generator<Secret> {
  for (const record of state.records.values()) {
    for (const pointer of record.sensitiveInputs) {
      yield* texts(
        record.name,
        `input ${pointer}`,
        record.inputs === undefined ? undefined : getAtPointer(record.inputs, pointer),
      );
    }
    for (const key of record.sensitiveOutputs) yield* texts(record.name, `output "${key}"`, record.outputs[key]);
  }
  for (const [module, { config }] of state.providerConfigs) {
    for (const [key, value] of Object.entries(config)) {
      if (secretName.test(key)) yield* texts(module, `configuration "${key}"`, value);
    }
  }
}

function* texts(name: string, where: string, value: Json | undefined): Generator<Secret> {
  if (typeof value === "string") {
    if (value.length >= minLength && !value.startsWith("secret_ref://")) yield { name, where, value };
    return;
  }
  if (value === null || typeof value !== "object") return;
  for (const [key, member] of Object.entries(value as JsonObject))
    yield* texts(name, `${where}${pathToPointer([key])}`, member);
}

function unmarkedOutputs(record: ResourceRecord): string[] {
  return Object.entries(record.outputs)
    .filter(
      ([key, value]) =>
        typeof value === "string" && value !== "" && secretName.test(key) && !record.sensitiveOutputs.includes(key),
    )
    .filter(([, value]) => !(value as string).startsWith("secret_ref://"))
    .map(([key]) => key);
}
