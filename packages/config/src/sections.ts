import { isJsonObject, onFailurePolicies, type Json, type JsonObject, type OnFailure } from "@wfctl/model";
import { child, type FieldReader } from "./fields.ts";
import { environmentKeys, ownTopKeys, passedTopKeys, stackPattern } from "./names.ts";
import type { StackFile } from "./read-files.ts";
import type { Reporter, Spot } from "./reporter.ts";
import type { ValueReader } from "./variables/value-reader.ts";
import { describe } from "./source/describe.ts";
import { show } from "./source/source-file.ts";

/** A module as written, with its place. */
export interface ModuleEntry {
  readonly spot: Spot;
  readonly value: JsonObject;
  readonly name: string;
  /** Empty where it has none. */
  readonly type: string;
  /** Of a component's module: what names inside of it mean. */
  readonly scope?: ModuleScope;
}

export interface ModuleScope {
  readonly values: ValueReader;
  /** The whole address of a name that is written inside. */
  readonly resolve: (name: string) => string;
}

/** The modules of one file, each name once. */
export function readEntries(file: StackFile, fields: FieldReader, reporter: Reporter): readonly ModuleEntry[] {
  return joinModules([file], fields, reporter).modules;
}

export interface EnvironmentEntry {
  readonly spot: Spot;
  readonly value: JsonObject;
}

/** The parts of a stack, joined over all files: what the main file says wins, then the earlier import. */
export interface Sections {
  readonly name?: string;
  readonly onFailure?: OnFailure;
  readonly autoBootstrap: boolean;
  readonly modules: readonly ModuleEntry[];
  /** True where some file has a `modules` key with something under it. */
  readonly hasModules: boolean;
  readonly environments: ReadonlyMap<string, EnvironmentEntry>;
  readonly moved: readonly { readonly spot: Spot; readonly value: Json }[];
  /** Items of `import`: objects to record. */
  readonly objects: readonly { readonly spot: Spot; readonly value: Json }[];
  readonly outputs: ReadonlyMap<string, { readonly spot: Spot; readonly value: Json }>;
}

const topKeys: ReadonlySet<string> = new Set([...ownTopKeys, ...passedTopKeys]);
const environmentKeySet: ReadonlySet<string> = new Set(environmentKeys);
const infraKeys: ReadonlySet<string> = new Set(["auto_bootstrap"]);

/** Checks the fixed part at the top of each file and joins the files. */
export function joinSections(files: readonly StackFile[], fields: FieldReader, reporter: Reporter): Sections {
  const modules = joinModules(files, fields, reporter);
  const environments = new Map<string, EnvironmentEntry>();
  const moved: { spot: Spot; value: Json }[] = [];
  const objects: { spot: Spot; value: Json }[] = [];
  const outputs = new Map<string, { spot: Spot; value: Json }>();
  for (const { source, root } of files) {
    const top: Spot = { file: source, path: [] };
    checkTopKeys(root, top, fields);
    warnOfOlderSystem(root, top, reporter);
    for (const [name, value] of Object.entries(fields.mapping(root, top, "environments") ?? {})) {
      const spot = child(top, "environments", name);
      const checked = checkEnvironment(name, value, spot, fields, reporter);
      if (!environments.has(name)) environments.set(name, { spot, value: checked });
    }
    for (const [index, value] of (fields.list(root, top, "moved") ?? []).entries()) {
      moved.push({ spot: child(top, "moved", index), value });
    }
    for (const [index, value] of (fields.list(root, top, "import") ?? []).entries()) {
      objects.push({ spot: child(top, "import", index), value });
    }
    for (const [name, value] of Object.entries(fields.mapping(root, top, "outputs") ?? {})) {
      if (!outputs.has(name)) outputs.set(name, { spot: child(top, "outputs", name), value });
    }
  }
  return { ...readMain(files, fields, reporter), ...modules, environments, moved, objects, outputs };
}

/** `name`, `on_failure` and `infra` count in the main file only. */
function readMain(
  files: readonly StackFile[],
  fields: FieldReader,
  reporter: Reporter,
): Pick<Sections, "name" | "onFailure" | "autoBootstrap"> {
  const main = files[0];
  if (main === undefined) return { autoBootstrap: true };
  const top: Spot = { file: main.source, path: [] };
  const name = fields.text(main.root, top, "name");
  if (name !== undefined && !stackPattern.test(name)) {
    reporter.report(child(top, "name"), {
      summary: `The stack name "${name}" cannot be used: expected letters, digits, ".", "_" and "-", at most 128`,
      hint: "State is kept under this name",
    });
  }
  const onFailure = fields.oneOf(main.root, top, "on_failure", onFailurePolicies);
  const infra = fields.mapping(main.root, top, "infra") ?? {};
  fields.checkKeys(infra, child(top, "infra"), "in infra", infraKeys);
  return {
    ...(name === undefined ? {} : { name }),
    ...(onFailure === undefined ? {} : { onFailure }),
    autoBootstrap: fields.boolean(infra, child(top, "infra"), "auto_bootstrap") ?? true,
  };
}

function checkTopKeys(root: JsonObject, top: Spot, fields: FieldReader): void {
  const known: JsonObject = Object.fromEntries(Object.entries(root).filter(([key]) => !key.startsWith("x-")));
  fields.checkKeys(
    known,
    top,
    "at the top of a stack file",
    topKeys,
    new Map([["resources", "Write resources under modules:"]]),
    `Read here are ${ownTopKeys.join(", ")}; keys that begin with x- are passed over`,
  );
}

/** Its resources look like ours, and nobody would make them. */
function warnOfOlderSystem(root: JsonObject, top: Spot, reporter: Reporter): void {
  const { infrastructure } = root;
  const resources = isJsonObject(infrastructure) ? infrastructure["resources"] : undefined;
  if (!Array.isArray(resources) || resources.length === 0) return;
  reporter.report(child(top, "infrastructure", "resources"), {
    severity: "warning",
    summary: "The resources under infrastructure belong to an older system that is not read here",
    hint: "Write them under modules: with type: infra.<kind>",
    part: { key: true },
  });
}

function checkEnvironment(name: string, value: Json, spot: Spot, fields: FieldReader, reporter: Reporter): JsonObject {
  if (!stackPattern.test(name)) {
    reporter.report(spot, {
      summary: `The environment name "${name}" cannot be used: expected letters, digits, ".", "_" and "-", at most 128`,
      hint: "State is kept under this name",
      part: { key: true },
    });
  }
  if (value === null) return {};
  if (!isJsonObject(value)) {
    const summary = `The environment "${name}" is ${describe(value)}, expected a mapping`;
    reporter.report(spot, { summary, hint: `Write ${name}: {region: …}` });
    return {};
  }
  fields.checkKeys(value, spot, "in an environment", environmentKeySet, new Map([["env_vars", 'Write "envVars"']]));
  fields.text(value, spot, "provider");
  fields.text(value, spot, "region");
  for (const [key, member] of Object.entries(fields.mapping(value, spot, "envVars") ?? {})) {
    if (member !== null && typeof member !== "object") continue;
    reporter.report(child(spot, "envVars", key), {
      summary: `The variable "${key}" is ${describe(member)}, expected text`,
      hint: `Write ${key}: "…"`,
    });
  }
  return value;
}

function joinModules(
  files: readonly StackFile[],
  fields: FieldReader,
  reporter: Reporter,
): Pick<Sections, "modules" | "hasModules"> {
  const modules: ModuleEntry[] = [];
  const byName = new Map<string, { entry: ModuleEntry; file: StackFile }>();
  let hasModules = false;
  for (const file of files) {
    const top: Spot = { file: file.source, path: [] };
    // Nothing under the key may be a list that was commented out: an empty stack is written as one.
    if (file.root["modules"] !== undefined && file.root["modules"] !== null) hasModules = true;
    for (const [index, value] of (fields.list(file.root, top, "modules") ?? []).entries()) {
      const entry = readEntry(value, child(top, "modules", index), fields, reporter);
      if (entry === undefined) continue;
      const first = byName.get(entry.name);
      if (first === undefined) {
        byName.set(entry.name, { entry, file });
        modules.push(entry);
      } else reportRepeat(entry, file, first, reporter);
    }
  }
  return { modules, hasModules };
}

function readEntry(value: Json, spot: Spot, fields: FieldReader, reporter: Reporter): ModuleEntry | undefined {
  if (!isJsonObject(value)) {
    reporter.report(spot, {
      summary: `A module is ${describe(value)}, expected a mapping with name and type`,
      hint: "Write - name: … and type: …",
    });
    return undefined;
  }
  const name = fields.text(value, spot, "name");
  const type = fields.text(value, spot, "type");
  if (name === undefined || name === "") {
    if (value["name"] === undefined || value["name"] === null || name === "") {
      reporter.report(spot, {
        summary: "The module has no name",
        hint: "Give it a name of its own: it is its key in the state",
      });
    }
    return undefined;
  }
  if (type === undefined && (value["type"] === undefined || value["type"] === null)) {
    reporter.report(spot, {
      summary: `The module "${name}" has no type`,
      hint: "Write type: infra.<kind>, such as infra.database",
    });
  }
  return { spot, value, name, type: type ?? "" };
}

function reportRepeat(
  entry: ModuleEntry,
  file: StackFile,
  first: { readonly entry: ModuleEntry; readonly file: StackFile },
  reporter: Reporter,
): void {
  const place = show(first.entry.spot.file.locate([...first.entry.spot.path, "name"]));
  const spot = child(entry.spot, "name");
  if (file === first.file) {
    reporter.report(spot, {
      summary: `The module name "${entry.name}" is used twice, first at ${place}`,
      hint: "Rename one of the two",
    });
  } else if (!reaches(first.file, file)) {
    reporter.report(spot, {
      severity: "warning",
      summary: `The module "${entry.name}" is passed over: the one at ${place} was imported earlier`,
      hint: "Remove one of the two, or override it in a file that imports both",
    });
  }
}

/** True where the first file imports the second, however indirectly: then it overrides it on purpose. */
function reaches(from: StackFile, to: StackFile): boolean {
  const seen = new Set<StackFile>([from]);
  for (const file of seen) {
    if (file === to) return true;
    for (const next of file.imports) seen.add(next);
  }
  return false;
}
