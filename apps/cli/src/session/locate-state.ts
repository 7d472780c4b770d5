import { dirname, join, resolve } from "node:path";
import type { StackConfig } from "@wfctl/config";
import { suggestHint } from "@wfctl/config/suggest";
import { WfctlError } from "@wfctl/model";
import { createSqliteBackend, type StateBackend } from "@wfctl/state";
import type { Context } from "../context.ts";
import { showPlace } from "../views/human/diagnostics.ts";
import { resolveVariables } from "./resolve-variables.ts";
import { stackEnv } from "./stack-env.ts";
import { unknownStateKey } from "./state-keys.ts";

export interface StateLocation {
  readonly backend: StateBackend;
  /** The file of a state on this machine; undefined for a shared one. */
  readonly file?: { readonly path: string; readonly directory: string };
  /** More than this machine may use the state: its key is given, never made. */
  readonly shared: boolean;
  /** What files with outcomes that could not be recorded are named after. */
  readonly emergencyBase: string;
  /** Folders where upstream would keep its records of this stack. */
  readonly foreignDirectories: readonly string[];
}

/** Where upstream keeps its records when the module names no directory. */
const upstreamDirectory = "/var/lib/workflow/iac-state";

/**
 * Where the state of a stack is: `<folder of the stack file>/.wfctl/state/<stack>.<environment>.db`, or where its
 * `iac.state` module says. Asks nothing of the place. Throws CONFIG_INVALID for a backend that is not served: none is
 * ever passed over.
 */
export async function locateState(stack: StackConfig, context: Pick<Context, "cwd" | "env">): Promise<StateLocation> {
  const home = dirname(stack.files[0] ?? context.cwd);
  const file = `${stack.name}.${stack.environment}.db`;
  const byDefault = join(home, ".wfctl", "state");
  const { state } = stack;
  if (state === undefined) return onThisMachine(join(byDefault, file), []);
  const { config } = resolveVariables(state, stackEnv(stack, context));
  const text = (key: string): string | undefined => {
    const unknown = unknownStateKey(config);
    if (unknown !== undefined) throw refuseKey(stack, unknown, key);
    const value = config[key];
    if (value !== undefined && value !== null && typeof value !== "string") throw refuseValue(stack, key);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  switch (state.backend) {
    case "filesystem": {
      const given = text("directory");
      const directory = given === undefined ? byDefault : resolve(home, given);
      // Upstream reads a relative directory from where it is started.
      const foreign = given === undefined ? [upstreamDirectory] : [directory, resolve(context.cwd, given)];
      return onThisMachine(join(directory, file), [...new Set(foreign)]);
    }
    case "sqlite": {
      const given = text("path");
      return onThisMachine(given === undefined ? join(byDefault, file) : resolve(home, given), []);
    }
    case "s3":
    case "spaces":
    case "azure_blob":
    case "postgres": {
      if (stack.nameIsDefault === true) throw nameless(stack, state.backend);
      const emergencyBase = join(byDefault, file);
      const { openSharedBackend } = await import("./shared-state.ts");
      const backend = await openSharedBackend(
        state.backend,
        { stack, module: state.name, config, emergencyBase },
        context,
      );
      return { backend, shared: true, emergencyBase, foreignDirectories: [] };
    }
    case "memory":
      throw refuse(
        stack,
        "memory",
        "keeps nothing between commands, so that every apply would create everything again",
      );
    default:
      throw refuse(stack, state.backend, "is not served");
  }
}

function onThisMachine(path: string, foreignDirectories: readonly string[]): StateLocation {
  return {
    backend: createSqliteBackend(path),
    file: { path, directory: dirname(path) },
    shared: false,
    emergencyBase: path,
    foreignDirectories,
  };
}

function nameless(stack: StackConfig, backend: string): WfctlError {
  return new WfctlError(
    "CONFIG_INVALID",
    `Cannot open the state: a stack with the shared backend "${backend}" must have a name of its own`,
    {
      hint: `Write name: ${stack.name} at the top of ${stack.files[0] ?? "the stack file"}; the folder may be called otherwise elsewhere`,
    },
  );
}

function refuseKey(stack: StackConfig, key: string, known: string): WfctlError {
  const { name = "", backend = "" } = stack.state ?? {};
  const at = placeOf(stack, `/config/${key}`);
  return new WfctlError(
    "CONFIG_INVALID",
    `Cannot open the state of "${name}": config.${key} is no key of the backend "${backend}"`,
    { address: name, hint: suggestHint(key, [known], `Known is ${known}`) + (at === "" ? "" : `; written${at}`) },
  );
}

function refuseValue(stack: StackConfig, key: string): WfctlError {
  const name = stack.state?.name ?? "";
  return new WfctlError("CONFIG_INVALID", `Cannot open the state of "${name}": config.${key} is no text`, {
    address: name,
    hint: `Write ${key}: "…"${placeOf(stack, `/config/${key}`)}`,
  });
}

function placeOf(stack: StackConfig, pointer: string): string {
  const source = stack.locate(stack.state?.name ?? "", pointer);
  return source === undefined ? "" : ` at ${showPlace(source)}`;
}

function refuse(stack: StackConfig, backend: string, why: string): WfctlError {
  const name = stack.state?.name ?? "";
  const source = stack.locate(name, "/config/backend");
  return new WfctlError("CONFIG_INVALID", `Cannot open the state: the backend "${backend}" of "${name}" ${why}`, {
    address: name,
    hint: `Write one of sqlite, filesystem, s3, spaces, azure_blob, postgres${source === undefined ? "" : ` at ${showPlace(source)}`}, or leave the module out`,
  });
}
