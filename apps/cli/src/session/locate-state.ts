import { dirname, join, resolve } from "node:path";
import type { StackConfig } from "@wfctl/config";
import { WfctlError } from "@wfctl/model";
import type { Context } from "../context.ts";
import { showPlace } from "../views/human/diagnostics.ts";
import { resolveVariables } from "./resolve-variables.ts";
import { stackEnv } from "./stack-env.ts";

export interface StateLocation {
  /** Path of the database file. */
  readonly path: string;
  readonly directory: string;
  /** Folders where upstream would keep its records of this stack. */
  readonly foreignDirectories: readonly string[];
}

/** Where upstream keeps its records when the module names no directory. */
const upstreamDirectory = "/var/lib/workflow/iac-state";

/**
 * Where the state of a stack is: `<folder of the stack file>/.wfctl/state/<stack>.<environment>.db`, or where its
 * `iac.state` module says. Throws CONFIG_INVALID for a backend that is not served: none is ever passed over.
 */
export function locateState(stack: StackConfig, context: Pick<Context, "cwd" | "env">): StateLocation {
  const home = dirname(stack.files[0] ?? context.cwd);
  const file = `${stack.name}.${stack.environment}.db`;
  const byDefault = join(home, ".wfctl", "state");
  const { state } = stack;
  if (state === undefined) return { path: join(byDefault, file), directory: byDefault, foreignDirectories: [] };
  const { config } = resolveVariables(state, stackEnv(stack, context));
  const text = (key: string): string | undefined => {
    const value = config[key];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  switch (state.backend) {
    case "filesystem": {
      const given = text("directory");
      const directory = given === undefined ? byDefault : resolve(home, given);
      // Upstream reads a relative directory from where it is started.
      const foreign = given === undefined ? [upstreamDirectory] : [directory, resolve(context.cwd, given)];
      return { path: join(directory, file), directory, foreignDirectories: [...new Set(foreign)] };
    }
    case "sqlite": {
      const given = text("path");
      const path = given === undefined ? join(byDefault, file) : resolve(home, given);
      return { path, directory: dirname(path), foreignDirectories: [] };
    }
    case "memory":
      throw refuse(
        stack,
        "memory",
        "keeps nothing between commands, so that every apply would create everything again",
      );
    default:
      throw refuse(stack, state.backend, "is not served yet");
  }
}

function refuse(stack: StackConfig, backend: string, why: string): WfctlError {
  const name = stack.state?.name ?? "";
  const source = stack.locate(name, "/config/backend");
  return new WfctlError("CONFIG_INVALID", `Cannot open the state: the backend "${backend}" of "${name}" ${why}`, {
    address: name,
    hint: `Write backend: sqlite or backend: filesystem${source === undefined ? "" : ` at ${showPlace(source)}`}, or leave the module out`,
  });
}
