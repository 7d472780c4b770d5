import type { StackConfig } from "../stack.ts";
import type { ChosenVariables } from "./choose-values.ts";
import { variableName } from "./value-reader.ts";

/** Variables as a stack tells them: secret values apart. */
export function listVariables({
  declarations,
  values,
}: ChosenVariables): Pick<StackConfig, "variables" | "secretVariables"> {
  const secretVariables: Record<string, string> = {};
  const variables = [...declarations.values()].map(({ name, type, description, sensitive }) => {
    const value = values.get(name);
    if (sensitive && typeof value === "string") secretVariables[variableName(name)] = value;
    return {
      name,
      type,
      ...(description === undefined ? {} : { description }),
      sensitive,
      ...(value === undefined || sensitive ? {} : { value }),
    };
  });
  return { variables, secretVariables };
}
