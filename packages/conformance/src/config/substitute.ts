import { isJsonObject, type Json } from "@wfctl/model";

export interface Variables {
  /** A folder of this run. */
  readonly tmp: string;
  /** A word that no other run has. */
  readonly run: string;
  /** The plugin's folder. */
  readonly plugin: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Fills `${tmp}`, `${run}`, `${plugin}` and `${env.NAME}` into all texts. Calls `fail` for any other `${…}` and for variables that are not set. */
export function substitute(
  value: Json,
  variables: Variables,
  report: { fail(place: string, problem: string): never; onSecret(value: string): void },
  place = "",
): Json {
  if (typeof value === "string") {
    return value.replaceAll(/\$\{([^}]*)\}/g, (whole, name: string) => {
      if (name === "tmp" || name === "run" || name === "plugin") return variables[name];
      if (!name.startsWith("env.")) {
        return report.fail(place, `holds ${whole}; known are \${tmp}, \${run}, \${plugin} and \${env.NAME}`);
      }
      const text = variables.env[name.slice("env.".length)];
      if (text === undefined || text === "") return report.fail(place, `needs ${name.slice(4)} in the environment`);
      report.onSecret(text);
      return text;
    });
  }
  if (Array.isArray(value)) {
    return value.map((member: Json, index) => substitute(member, variables, report, `${place}[${index}]`));
  }
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      substitute(member as Json, variables, report, place === "" ? key : `${place}.${key}`),
    ]),
  );
}
