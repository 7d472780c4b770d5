import { dirname, resolve } from "node:path";
import { isJsonObject, type JsonObject } from "@wfctl/model";
import { child, type FieldReader } from "../fields.ts";
import { tryRead, type ReadFile } from "../find-stack-file.ts";
import { modulePattern } from "../names.ts";
import type { StackFile } from "../read-files.ts";
import { findingAt, type Reporter, type Spot } from "../reporter.ts";
import { describe } from "../source/describe.ts";
import { readSource, type SourceFile } from "../source/source-file.ts";
import { explainUnread } from "../unread.ts";

/** A component as it is used, with the file that it is made of. */
export interface ComponentUse {
  /** Address: `web`, `web.cache`. */
  readonly address: string;
  readonly spot: Spot;
  readonly inputs: JsonObject;
  readonly file: StackFile;
  readonly children: readonly ComponentUse[];
}

const useKeys: ReadonlySet<string> = new Set(["source", "inputs"]);
const fileKeys: ReadonlySet<string> = new Set(["description", "inputs", "modules", "outputs", "components"]);
/** How deep components may hold components. */
const maxDepth = 20;

/** Most components of a stack, those inside of others counted each time they are used. */
const maxUses = 50_000;

/** Reads `components` of all files, and what these hold. Every file is read once; circles are refused. */
export async function readComponents(
  files: readonly StackFile[],
  cwd: string,
  readFile: ReadFile,
  fields: FieldReader,
  reporter: Reporter,
): Promise<{
  readonly uses: readonly ComponentUse[];
  readonly sources: readonly SourceFile[];
  readonly complete: boolean;
}> {
  const read = new Map<string, StackFile | undefined>();
  let complete = true;
  let made = 0;

  const readComponent = async (path: string, spot: Spot, written: string): Promise<StackFile | undefined> => {
    if (read.has(path)) return read.get(path);
    const content = await tryRead(path, readFile);
    if ("reason" in content) {
      complete = false;
      const isMissing = content.reason === "ENOENT";
      const why = isMissing ? "does not exist" : `cannot be read: ${explainUnread(content.reason).why}`;
      reporter.report(spot, {
        code: isMissing ? "CONFIG_NOT_FOUND" : "CONFIG_INVALID",
        summary: `The file "${written}" of the component ${why}`,
        hint: `Looked for "${path}": sources are relative to the file that names them`,
      });
      read.set(path, undefined);
      return undefined;
    }
    const source = await readSource(path, cwd, content.text);
    for (const problem of source.problems) {
      reporter.add({ ...findingAt({ file: source, path: problem.path }, problem), source: problem.location });
    }
    const file: StackFile = { source, root: isJsonObject(source.value) ? source.value : {}, imports: [] };
    const top: Spot = { file: source, path: [] };
    if (!source.parsed) complete = false;
    else if (!isJsonObject(source.value)) {
      reporter.report(top, {
        summary: `The component holds ${describe(source.value)} at its top, expected a mapping with modules`,
        hint: "Write modules: with a list",
      });
    }
    fields.checkKeys(file.root, top, "in a component", fileKeys);
    read.set(path, file);
    return file;
  };

  const readUses = async (
    file: StackFile,
    prefix: string,
    chain: readonly SourceFile[],
    seen: Map<string, Spot>,
  ): Promise<ComponentUse[]> => {
    const uses: ComponentUse[] = [];
    const top: Spot = { file: file.source, path: [] };
    for (const [name, value] of Object.entries(fields.mapping(file.root, top, "components") ?? {})) {
      const spot = child(top, "components", name);
      const address = `${prefix}${name}`;
      if (!isJsonObject(value)) {
        reporter.report(spot, {
          summary: `The component "${name}" is ${describe(value)}, expected a mapping`,
          hint: `Write ${name}: {source: ./${name}.yaml}`,
        });
        continue;
      }
      const first = seen.get(address);
      if (first !== undefined) continue;
      seen.set(address, spot);
      if (!modulePattern.test(name) || name.includes(".")) {
        reporter.report(spot, {
          summary: `The component name "${name}" cannot be used: expected letters, digits, "_" and "-"`,
          hint: "It is part of the names of its resources",
          part: { key: true },
        });
        continue;
      }
      fields.checkKeys(value, spot, "in a component", useKeys);
      const written = fields.text(value, spot, "source");
      if (written === undefined || written === "") {
        reporter.report(spot, {
          summary: `The component "${name}" does not say what it is made of`,
          hint: `Write source: ./${name}.yaml`,
        });
        continue;
      }
      const path = resolve(dirname(file.source.path), written);
      const circle = chain.findIndex((link) => link.path === path);
      if (circle >= 0) {
        const names = [...chain.slice(circle).map((link) => link.label), written].join(" -> ");
        reporter.report(child(spot, "source"), {
          summary: `The components form a circle: ${names}`,
          hint: "Remove one of these components",
        });
        continue;
      }
      if (chain.length > maxDepth) {
        reporter.report(child(spot, "source"), {
          summary: `The component "${address}" is nested too deeply, at most ${maxDepth} levels are read`,
          hint: "Use its parts directly",
        });
        continue;
      }
      made += 1;
      if (made > maxUses) {
        complete = false;
        if (made === maxUses + 1) {
          reporter.report(child(spot, "source"), {
            summary: `The stack has more than ${maxUses} components, counting those inside of others each time`,
            hint: "Look for components that are used by components that are used more than once",
          });
        }
        return uses;
      }
      const component = await readComponent(path, child(spot, "source"), written);
      if (component === undefined) continue;
      uses.push({
        address,
        spot,
        inputs: fields.mapping(value, spot, "inputs") ?? {},
        file: component,
        children: await readUses(component, `${address}.`, [...chain, component.source], new Map()),
      });
    }
    return uses;
  };

  const seen = new Map<string, Spot>();
  const uses: ComponentUse[] = [];
  for (const file of files) uses.push(...(await readUses(file, "", [file.source], seen)));
  const sources = [...read.values()].flatMap((file) => (file === undefined ? [] : [file.source]));
  return { uses: made > maxUses ? [] : uses, sources, complete };
}
