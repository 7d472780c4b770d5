import { isJsonObject } from "@wfctl/model";
import { defaultEnvironment } from "./names.ts";
import { child } from "./fields.ts";
import type { Reporter, Spot } from "./reporter.ts";
import type { ModuleEntry, Sections } from "./sections.ts";
import { listNames } from "./suggest.ts";

/** Names of environments at the top and on modules, in order of appearance. */
export function listEnvironments(sections: Sections): string[] {
  const names = new Set(sections.environments.keys());
  for (const entry of sections.modules) {
    for (const name of moduleEnvironments(entry)) names.add(name);
  }
  return [...names];
}

export function moduleEnvironments(entry: ModuleEntry): string[] {
  const environments = entry.value["environments"];
  return isJsonObject(environments) ? Object.keys(environments) : [];
}

/** Where environments are first declared; the top of the main file where none is. */
export function findDeclaration(sections: Sections, main: Spot): Spot {
  const [first] = sections.environments.values();
  if (first !== undefined) return { file: first.spot.file, path: ["environments"] };
  const entry = sections.modules.find((module) => moduleEnvironments(module).length > 0);
  return entry === undefined ? main : child(entry.spot, "environments");
}

/** The environment to read the stack for; undefined, with a diagnostic, where none or an unknown one is chosen. */
export function chooseEnvironment(
  wanted: string | undefined,
  environments: readonly string[],
  declared: Spot,
  reporter: Reporter,
): string | undefined {
  const refuse = (summary: string, hint: string): undefined => {
    reporter.report(declared, { code: "ENVIRONMENT_UNKNOWN", summary, hint, part: { key: true } });
    return undefined;
  };
  if (environments.length === 0) {
    if (wanted === undefined || wanted === "" || wanted === defaultEnvironment) return defaultEnvironment;
    return refuse(
      `The environment "${wanted}" is not known: the configuration declares none`,
      `Declare it with environments: {${wanted}: {}}, or leave -e out`,
    );
  }
  if (wanted === undefined || wanted === "") {
    return refuse(
      `No environment is chosen, the configuration declares ${listNames(environments)}`,
      `Choose one with -e, such as -e ${environments[0] ?? ""}`,
    );
  }
  if (environments.includes(wanted)) return wanted;
  const fallback = `Known are ${listNames(environments)}`;
  return refuse(
    `The environment "${wanted}" is not known, the configuration declares ${listNames(environments)}`,
    reporter.hintFor(wanted, environments, fallback),
  );
}
