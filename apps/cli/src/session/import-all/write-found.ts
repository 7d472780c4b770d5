import { boundExpressions, loadStack, writeStackPart, type StackConfig } from "@wfctl/config";
import { evaluate } from "@wfctl/engine";
import { jsonEqual, WfctlError, type JsonObject } from "@wfctl/model";
import type { FoundObject } from "./found-object.ts";
import { linkObjects } from "./link-objects.ts";

export interface NamedObject {
  readonly object: FoundObject;
  readonly name: string;
  readonly config: JsonObject;
}

/** Lines of comment at the top of what `import --all` writes. */
function foundHead(stack: StackConfig): readonly string[] {
  return [
    `Objects that wfctl import has found for the stack ${stack.name}. Name this file under imports: of the stack file:`,
    "plan shows the imports, apply records them. Once that is done the import entries may go.",
  ];
}

/** The file of what was found, proven to be read as it is meant. */
export async function writeFound(
  objects: readonly NamedObject[],
  stack: StackConfig,
  head: readonly string[] = foundHead(stack),
): Promise<string> {
  const configs = linkObjects(objects);
  const text = writeStackPart({
    head,
    resources: objects.map(({ object, name }, index) => ({
      name,
      type: object.type,
      config: { iac_provider: object.provider.module, ...configs[index] },
    })),
    imports: objects.map(({ object, name }) => ({ to: name, id: object.providerId })),
  });
  await prove(text, objects, stack);
  return text;
}

/** Reads the file as a stack would. A difference is a defect here, and nothing is written. */
async function prove(text: string, objects: readonly NamedObject[], stack: StackConfig): Promise<void> {
  const main = {
    name: "proof",
    imports: ["found.yaml"],
    modules: stack.providers
      .filter((module) => objects.some(({ object }) => object.provider.module === module.name))
      .map((module) => ({ name: module.name, type: "iac.provider", config: { provider: module.provider } })),
  };
  const files = new Map([
    ["/proof/infra.yaml", JSON.stringify(main)],
    ["/proof/found.yaml", text],
  ]);
  const { stack: read, diagnostics } = await loadStack({
    cwd: "/proof",
    readFile: async (path) => {
      const found = files.get(path);
      if (found === undefined) throw Object.assign(new Error(`no file ${path}`), { code: "ENOENT" });
      return found;
    },
  });
  const bounded = boundExpressions();
  const wrong = objects.find(({ object, name, config }, index) => {
    const resource = read?.resources[index];
    const wanted = { iac_provider: object.provider.module, ...config };
    const meant = evaluate(resource?.config ?? {}, {
      env: {},
      bounded,
      output: (other) => ({
        value: objects.find((each) => each.name === other)?.object.providerId ?? null,
        sensitive: false,
      }),
    });
    const isSame = resource?.name === name && jsonEqual(meant.value, wanted);
    return !isSame || read?.imports[index]?.id !== object.providerId;
  });
  if (wrong === undefined && read !== undefined) return;
  throw new WfctlError("INTERNAL", `The configuration of "${wrong?.name ?? "what was found"}" cannot be written`, {
    hint: "Report it; nothing was written",
    diagnostics,
  });
}
